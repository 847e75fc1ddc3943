/** restoreSnapshots: brings back one device, or a whole machine of them, or nothing. */
import { VirtioError } from '../error.ts';
import { SnapshotReader } from './snapshot-reader.ts';

/** A PCI function, a memory-mapped device, or whatever else has a state. */
export interface SnapshotTarget {
  /** As of a VirtioDevice, but that what it returns is called first of all. */
  prepareRestore?(snapshot: SnapshotReader): () => void;
  /** As after power-on. */
  reset(): void;
}

export interface RestoredPart {
  /** For error messages. */
  readonly name: string;
  /** Plugged in, and made with the same options as the one that the snapshot was taken of. */
  readonly target: SnapshotTarget;
  /** What `snapshot` gave, as it is or parsed from JSON; from anywhere. */
  readonly snapshot: unknown;
}

/**
 * Checks all parts before it changes the first. An IOMMU goes before the endpoints behind it. Afterwards the host lets each
 * part work, as after a kick: what it had begun goes on.
 *
 * @throws VirtioError `SNAPSHOT` when a part is damaged or does not fit its target, and nothing has changed; `SNAPSHOT_REFUSED`
 * when something below a device does not take it, and then all targets are reset
 */
export function restoreSnapshots(parts: readonly RestoredPart[]): void {
  const restores = parts.map(({ name, target, snapshot }) => {
    if (target.prepareRestore !== undefined) {
      return target.prepareRestore(new SnapshotReader(snapshot, name));
    }
    throw new VirtioError('SNAPSHOT', `${name} cannot be restored: leave it out of the snapshot`);
  });
  try {
    for (const restore of restores) restore();
  } catch (error) {
    for (const { target } of parts) target.reset();
    throw error;
  }
}
