/** What a machine that is recorded is told: plain data that can be sent to another thread. Types and docs only. */
import type { DiskContent } from '@viommu/trace';

export interface RecordSettings {
  /** Path of the trace. */
  readonly path: string;
  /** For people: what is recorded. */
  readonly title: string;
  /** Of the guest and what runs it, as far as they are known; those of the packages and of Node.js are added. */
  readonly versions: Readonly<Record<string, string>>;
  /** What each disk holds at first, where a formula says it. */
  readonly contents?: readonly DiskContent[];
}
