/** What the header of a trace says of a guest that is booted. */
import type { RanIn } from '../linux/guest-choice.ts';
import type { RecordSettings } from './record-settings.ts';

export function recordingOf(
  path: string,
  summary: string,
  { architecture, kernelRelease, vmm, version }: RanIn,
): Omit<RecordSettings, 'contents'> {
  return {
    path,
    title: `Linux ${kernelRelease}, ${architecture}: ${summary}`,
    versions: { kernel: kernelRelease, [vmm.toLowerCase()]: version },
  };
}
