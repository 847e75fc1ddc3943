/** A driver's thread that rewrites descriptors, indirect tables and requests while the device reads them. */
import { workerData } from 'node:worker_threads';
import type { RewritingSetting } from './rewriting-setting.ts';
import {
  AVAIL,
  BUFFERS,
  DESCRIPTORS,
  QUEUE_SIZE,
  RESETS,
  RESTARTS,
  STOP,
  TABLES,
  USED,
} from './rewriting-setting.ts';

/** One descriptor of so many makes no sense. */
const CHAOS = 2000;

const { memory, signals, seed } = workerData as RewritingSetting;
const view = new DataView(memory);
const halves = new Uint16Array(memory);
const shared = new Int32Array(signals);

let state = seed;
function random(below: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

function pick<T>(values: readonly T[]): T {
  return values[random(values.length)]!;
}

/** NEXT 1, WRITE 2, INDIRECT 4. */
function writeDescriptor(at: number): void {
  const where = BUFFERS + 64 * random(64);
  view.setBigUint64(
    at,
    BigInt(pick([where, where, where, TABLES, 0xffff_0000, DESCRIPTORS])),
    true,
  );
  view.setUint32(at + 8, pick([4, 20, 28, 36, 36, 32, 4096, 0xffff_ffff]), true);
  view.setUint16(at + 12, pick([0, 1, 1, 1, 2, 2, 4, 5]), true);
  view.setUint16(at + 14, random(QUEUE_SIZE + 1), true);
}

/** A pair that makes sense, for as long as nobody changes it. */
function writePair(first: number): void {
  const at = DESCRIPTORS + 16 * first;
  view.setBigUint64(at, BigInt(BUFFERS + 64 * random(64)), true);
  view.setUint32(at + 8, pick([20, 28, 36, 36, 36, 36]), true);
  view.setUint32(at + 12, 1 | ((first + 1) << 16), true);
  view.setBigUint64(at + 16, BigInt(BUFFERS + 4096 + 64 * random(64)), true);
  view.setUint32(at + 24, 4, true);
  view.setUint32(at + 28, 2, true);
}

/** ATTACH 1, DETACH 2, MAP 3, UNMAP 4, with fields from few values, so that they meet. */
function writeRequest(at: number): void {
  const start = BigInt(random(8)) * 0x1000n;
  const type = pick([1, 1, 2, 3, 3, 3, 4, 9]);
  view.setUint32(at, type, true);
  view.setUint32(at + 4, random(3), true);
  // An ATTACH has its endpoint there, no flags, and nothing behind them.
  view.setBigUint64(at + 8, type === 1 ? pick([8n, 9n]) : start, true);
  view.setBigUint64(at + 16, type === 1 ? 0n : pick(endsFrom(start)), true);
  view.setBigUint64(at + 24, BigInt(random(16)) * 0x1000n, true);
  view.setUint32(at + 32, pick([1, 2, 3, 7, 8]), true);
}

function endsFrom(start: bigint): readonly bigint[] {
  return [start + 0xfffn, start + 0xfffn, start + 0x2fffn, 0n, 2n ** 64n - 1n];
}

let available = 0;
while (Atomics.load(shared, STOP) === 0) {
  const resets = Atomics.load(shared, RESETS);
  if (resets !== Atomics.load(shared, RESTARTS)) {
    available = 0;
    Atomics.store(halves, AVAIL / 2 + 1, 0);
    Atomics.store(shared, RESTARTS, resets);
  }
  const first = random(QUEUE_SIZE - 1);
  writeRequest(BUFFERS + 64 * random(64));
  writePair(first);
  if (random(CHAOS) === 0) writeDescriptor(DESCRIPTORS + 16 * random(QUEUE_SIZE));
  if (random(CHAOS) === 0) writeDescriptor(TABLES + 16 * random(16));
  halves[AVAIL / 2 + 2 + (available & (QUEUE_SIZE - 1))] = first;
  // No further than the queue reaches from where the device is.
  const used = Atomics.load(halves, USED / 2 + 1);
  if (((available - used) & 0xffff) < QUEUE_SIZE) available = (available + 1) & 0xffff;
  Atomics.store(halves, AVAIL / 2 + 1, available);
}
