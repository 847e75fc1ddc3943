/** What scenarios have a guest do whose point is another: a part of a small disk is written, all of it read, and random bytes are asked for. */
import type { GuestStep } from '../../guest/guest-steps.ts';

const MEBIBYTE = 1 << 20;

export const SMALL_DISK_BYTES = 48 * MEBIBYTE;

export const SMALL_DISK_STEPS: readonly GuestStep[] = [
  { step: 'report' },
  { step: 'write', disk: 'vda', offset: 32 * MEBIBYTE, length: 8 * MEBIBYTE },
  { step: 'read', disk: 'vda', offset: 0, length: SMALL_DISK_BYTES },
  { step: 'rng' },
];
