/** What the header of a trace says of a guest that is booted. */
import type { GuestParts } from '../guest/guest-parts.ts';
import type { RecordSettings } from './record-settings.ts';

export function recordingOf(
  path: string,
  summary: string,
  { architecture, kernelRelease, qemu }: GuestParts,
): Omit<RecordSettings, 'contents'> {
  return {
    path,
    title: `Linux ${kernelRelease}, ${architecture}: ${summary}`,
    versions: { kernel: kernelRelease, qemu: qemu.version },
  };
}
