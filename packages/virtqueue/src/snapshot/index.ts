export { toHex } from './hex.ts';
export { type RestoredPart, restoreSnapshots, type SnapshotTarget } from './restore-snapshots.ts';
export type {
  PackedRingSnapshot,
  QueueSnapshot,
  RestoredDriver,
  SessionSnapshot,
  SplitRingSnapshot,
} from './snapshot.ts';
export { SnapshotReader } from './snapshot-reader.ts';
export { snapshotRefused } from './snapshot-refused.ts';
