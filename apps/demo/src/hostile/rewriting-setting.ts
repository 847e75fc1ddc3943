/** What the thread of a driver that rewrites everything shares with its test. Addresses in bytes; see "Split Virtqueues". */

export const QUEUE_SIZE = 64;
export const DESCRIPTORS = 0x1000;
export const AVAIL = 0x2000;
export const USED = 0x3000;
export const TABLES = 0x4000;
export const BUFFERS = 0x8000;
export const MEMORY_LENGTH = 0x1_0000;
/** Indices of `signals`: the thread ends; how often the device began anew, and how often the thread did. */
export const STOP = 0;
export const RESETS = 1;
export const RESTARTS = 2;

export interface RewritingSetting {
  readonly memory: SharedArrayBuffer;
  readonly signals: SharedArrayBuffer;
  readonly seed: number;
}
