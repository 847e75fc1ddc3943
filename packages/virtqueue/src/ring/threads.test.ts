/** Driver and device in two threads that sleep when there is nothing to do: no buffer and no notification is lost. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { createDriverQueue } from '../driver/create-driver-queue.ts';
import {
  INTERRUPTS,
  KICKS,
  LIMIT_MILLISECONDS,
  STOP,
  type ThreadSetting,
} from '../fixtures/thread-setting.ts';
import { ArrayGuestMemory } from '../memory/array-guest-memory.ts';

const BUFFERS = 20_000;
const DATA = 0x8000;

async function startDevice(setting: ThreadSetting): Promise<Worker> {
  const entry = fileURLToPath(new URL('../fixtures/device-thread.ts', import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'cjs',
    platform: 'node',
    write: false,
  });
  return new Worker(outputFiles[0]!.text, { eval: true, workerData: setting, execArgv: [] });
}

/** VIRTIO_F_EVENT_IDX, VIRTIO_F_RING_PACKED. */
const [EVENT_IDX, PACKED] = [1n << 29n, 1n << 34n];

it.each([
  ['split', 2, false, 0],
  ['split', 2, true, 0],
  ['split', 2, true, 20],
  ['split', 64, false, 0],
  ['split', 64, false, 20],
  ['split', 64, true, 0],
  ['packed', 2, false, 0],
  ['packed', 2, true, 0],
  ['packed', 2, true, 20],
  // Lists go over the end of the ring.
  ['packed', 63, false, 0],
  ['packed', 63, false, 20],
  ['packed', 63, true, 0],
])(
  'a %s queue of %d, EVENT_IDX %s, polled for %d microseconds',
  async (layout, size, eventIdx, pollMicroseconds) => {
    const packed = layout === 'packed';
    const shared = new SharedArrayBuffer(0x10000);
    const memory = new ArrayGuestMemory([{ base: 0, buffer: shared }]);
    const features = (packed ? PACKED : 0n) | (eventIdx ? EVENT_IDX : 0n);
    const queue = createDriverQueue({ features, size, memory, address: 0 });
    const setting: ThreadSetting = {
      memory: shared,
      signals: new SharedArrayBuffer(16),
      ring: { ...queue.addresses, eventIdx },
      packed,
      pollMicroseconds,
    };
    const data = new Int32Array(setting.memory);
    const signals = new Int32Array(setting.signals);
    const device = await startDevice(setting);
    const exited = once(device, 'exit');

    const used = { token: 0, length: 0 };
    const slots = Math.floor(size / 2);
    const free = Array.from({ length: slots }, (_, slot) => slot);
    let added = 0;
    let taken = 0;
    let wrong = 0;
    const kick = () => {
      Atomics.add(signals, KICKS, 1);
      Atomics.notify(signals, KICKS);
    };
    const take = () => {
      if (!queue.takeUsed(used)) return false;
      const at = (DATA + 8 * used.token) / 4;
      if (used.length !== 4 || data[at + 1] !== data[at]! + 1) wrong += 1;
      free.push(used.token);
      taken += 1;
      return true;
    };
    while (taken < BUFFERS) {
      for (
        let slot = free.pop();
        slot !== undefined;
        slot = added < BUFFERS ? free.pop() : undefined
      ) {
        const address = DATA + 8 * slot;
        data[address / 4] = added;
        data[address / 4 + 1] = -1;
        queue.add([{ address, length: 4 }], [{ address: address + 4, length: 4 }], slot);
        added += 1;
      }
      if (queue.shouldNotify()) kick();
      if (take()) continue;
      const interrupts = Atomics.load(signals, INTERRUPTS);
      queue.enableInterrupts(true);
      if (take()) continue;
      if (Atomics.wait(signals, INTERRUPTS, interrupts, LIMIT_MILLISECONDS) === 'timed-out') {
        throw new Error(`no interrupt: ${taken} of ${added} buffers are back`);
      }
    }
    Atomics.store(signals, STOP, 1);
    kick();
    const [exitCode] = await exited;
    expect(exitCode).toBe(0);
    expect([taken, wrong]).toEqual([BUFFERS, 0]);
    expect(signals[INTERRUPTS]).toBeGreaterThan(0);
    // Never more than one for each buffer, and that of the end.
    expect(signals[KICKS]).toBeLessThanOrEqual(BUFFERS + 1);
  },
  60_000,
);
