/** The error of a part that cannot come back although nothing is wrong with its snapshot. */
import { VirtioError } from '../error.ts';

/** For what a device throws when something below it does not take its part of a snapshot. @param problem who and what */
export function snapshotRefused(problem: string, cause?: unknown): VirtioError {
  return new VirtioError(
    'SNAPSHOT_REFUSED',
    `${problem}: the snapshot needs a set-up with as much room as the one it was taken of, and the device was reset`,
    { cause },
  );
}
