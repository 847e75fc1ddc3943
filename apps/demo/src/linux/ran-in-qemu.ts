/** ranInQemu: what a result and a trace say of a guest under QEMU. */
import type { GuestParts } from '../guest/guest-parts.ts';
import type { RanIn } from './guest-choice.ts';

export function ranInQemu({ qemu, kernelRelease, architecture }: GuestParts): RanIn {
  return { vmm: 'QEMU', version: qemu.version, kernelRelease, architecture };
}
