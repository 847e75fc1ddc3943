/** virtioDeviceSuite: what a transport may expect of every VirtioDevice; each device model runs it in its own tests. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { AccessWidth, DeviceContext, VirtioDevice } from '../device/virtio-device.ts';
import { ArrayGuestMemory } from '../memory/array-guest-memory.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import { SnapshotReader } from '../snapshot/snapshot-reader.ts';
import { type Segment, type TestBuffer, TestQueue } from './test-queue.ts';
import { InvisibleGuestMemory } from './wrapped-memory.ts';

/** Ring and transport features, which the session adds: bits 24 to 41 but for ACCESS_PLATFORM. */
const RESERVED_FEATURES = (((1n << 18n) - 1n) << 24n) & ~(1n << 33n);
const MEMORY_BYTES = 0x10000;
const NOWHERE = 2 ** 40;

const part = (address: number, length: number): Segment => ({ address, length });
const HOSTILE: [string, TestBuffer][] = [
  ['nothing but an empty segment', { readable: [part(0, 0)], writable: [] }],
  ['one readable byte', { readable: [part(0, 1)], writable: [] }],
  ['one writable byte', { readable: [], writable: [part(0, 1)] }],
  ['no room to answer', { readable: [part(0, 64)], writable: [] }],
  ['no request', { readable: [], writable: [part(0, 64)] }],
  ['a request of ones', { readable: [part(0x8000, 128)], writable: [part(0x100, 128)] }],
  ['a request that is nowhere', { readable: [part(NOWHERE, 16)], writable: [part(0, 16)] }],
  ['an answer that goes nowhere', { readable: [part(0, 36)], writable: [part(NOWHERE, 16)] }],
  [
    'a request that ends nowhere',
    { readable: [part(MEMORY_BYTES - 2, 36)], writable: [part(MEMORY_BYTES - 2, 4)] },
  ],
  ['a part of 4 GiB', { readable: [part(0, 16)], writable: [part(0, 0xffff_fff0)] }],
  [
    'a byte in each segment',
    {
      readable: Array.from({ length: 8 }, (_, index) => part(index, 1)),
      writable: Array.from({ length: 8 }, (_, index) => part(0x200 + index, 1)),
    },
  ],
];

/** Notes what a device reads and writes, all of which it has to ask for. */
class RecordingMemory extends InvisibleGuestMemory {
  readonly reads: Segment[] = [];
  readonly writes: Segment[] = [];

  override read(...args: Parameters<GuestMemory['read']>): boolean {
    this.reads.push(part(args[0], args[3]));
    return super.read(...args);
  }

  override write(...args: Parameters<GuestMemory['write']>): boolean {
    this.writes.push(part(args[0], args[3]));
    return super.write(...args);
  }
}

function addressesOf(segments: readonly Segment[]): number[] {
  return segments.flatMap(({ address, length }) =>
    Array.from({ length }, (_, index) => address + index),
  );
}

export function virtioDeviceSuite(name: string, factory: () => VirtioDevice): void {
  describe(`VirtioDevice: ${name}`, () => {
    let device: VirtioDevice;
    let memory: GuestMemory;
    let interrupted: number[];

    beforeEach(() => {
      device = factory();
      const bytes = new Uint8Array(MEMORY_BYTES).fill(0xff, 0x8000);
      memory = new ArrayGuestMemory([{ base: 0, buffer: bytes.buffer }]);
      interrupted = [];
    });

    const activate = (queues: DeviceContext['queues'], seen = memory) =>
      device.activate({
        memory: seen,
        queues,
        driverFeatures: device.deviceFeatures | (1n << 32n),
        interrupts: { usedBuffer: (index) => interrupted.push(index), configChange() {} },
        requestService() {},
        needsReset() {},
      });
    const none = () => device.queueMaxSizes.map(() => undefined);
    const each = () => device.queueMaxSizes.map((_, index) => index);

    it('says what it is', () => {
      expect(device.deviceId).toBeGreaterThan(0);
      expect(device.queueMaxSizes.length).toBeGreaterThan(0);
      for (const size of device.queueMaxSizes) {
        expect(Number.isInteger(Math.log2(size)) && size <= 32768).toBe(true);
      }
    });

    it('offers nothing that is for the session to offer', () => {
      expect(device.deviceFeatures & RESERVED_FEATURES).toBe(0n);
    });

    it('has one configuration, whatever the width of the access', () => {
      const byte = (offset: number) => device.readConfig(offset, 1);
      for (let offset = 0; offset < device.configSize; offset += 1) {
        expect(byte(offset)).toBe(byte(offset) & 0xff);
        for (const width of [2, 4] as AccessWidth[]) {
          if (offset % width !== 0 || offset + width > device.configSize) continue;
          let value = 0;
          for (let index = width - 1; index >= 0; index -= 1)
            value = value * 256 + byte(offset + index);
          expect(device.readConfig(offset, width)).toBe(value);
        }
      }
    });

    it('takes any write to its configuration, before and after it is activated', () => {
      const values = () =>
        Array.from({ length: device.configSize }, (_, offset) => device.readConfig(offset, 1));
      for (const prepare of [() => {}, () => activate(none())]) {
        prepare();
        for (let offset = 0; offset < device.configSize; offset += 1) {
          for (const width of [1, 2, 4] as AccessWidth[]) {
            if (offset + width <= device.configSize) device.writeConfig(offset, width, 0xff);
          }
        }
        for (const value of values()) expect(value).toBe(value & 0xff);
      }
    });

    it('has no work without queues, before it is activated, and after a reset', () => {
      device.reset();
      for (const index of [...each(), 99]) expect(device.notifyQueue(index)).toBe(false);
      activate(none());
      for (const index of [...each(), 99]) expect(device.notifyQueue(index)).toBe(false);
      device.reset();
      device.reset();
      const queues = each().map((index) => new TestQueue(index, memory, () => undefined));
      activate(queues);
      for (const index of each()) expect(device.notifyQueue(index)).toBe(false);
      device.reset();
      for (const index of each()) expect(device.notifyQueue(index)).toBe(false);
      for (const index of each()) device.queueReset?.(index);
    });

    it.each(HOSTILE)('uses each buffer once, or not yet: %s', (_what, buffer) => {
      const queues = each().map(
        (index) => new TestQueue(index, memory, (position) => (position < 3 ? buffer : undefined)),
      );
      const writable = buffer.writable.reduce((sum, { length }) => sum + length, 0);
      activate(queues);
      for (const queue of queues) {
        const { index, used } = queue;
        while (device.notifyQueue(index)) {}
        // All of them, or none of a queue of buffers for later.
        expect([0, 3]).toContain(queue.popped);
        for (const length of used.values()) {
          expect(length).toBeGreaterThanOrEqual(0);
          expect(length).toBeLessThanOrEqual(writable);
        }
        if (used.size > 0) expect(interrupted).toContain(index);
        for (const head of used.keys()) expect(head).toBeLessThan(queue.popped);
      }
      device.reset();
    });

    it('says what it keeps as plain data, which another takes, and takes nothing else', () => {
      const driver = { isUp: true, features: device.deviceFeatures | (1n << 32n) };
      const prepare = (state: unknown) =>
        device.prepareRestore?.(new SnapshotReader(state, 'device'), driver);
      expect(device.snapshot === undefined).toBe(device.prepareRestore === undefined);
      if (device.snapshot === undefined) return;
      const buffer = { readable: [part(0, 16)], writable: [part(0x100, 16)] };
      activate(
        each().map(
          (i) => new TestQueue(i, memory, (position) => (position < 3 ? buffer : undefined)),
        ),
      );
      for (const index of each()) while (device.notifyQueue(index)) {}
      const state = JSON.parse(JSON.stringify(device.snapshot()));
      expect(state).toEqual(device.snapshot());
      for (const damaged of [null, {}, [], 'x', { ...state, version: 99 }]) {
        expect(() => prepare(damaged)).toThrow(expect.objectContaining({ code: 'SNAPSHOT' }));
      }
      expect(device.snapshot()).toEqual(state);
      device.reset();
      device = factory();
      const restore = prepare(state);
      activate(none());
      restore?.();
      expect(device.snapshot?.()).toEqual(state);
    });

    it('reads what is to be read alone, and writes what it says, from the first writable byte on', () => {
      const readable = [part(0x100, 16), part(0x200, 60)];
      const writable = [part(0x1000, 5), part(0x2000, 600)];
      const mayRead = new Set(addressesOf(readable));
      const order = addressesOf(writable);
      const mayWrite = new Set(order);
      // Requests of the standard begin with their type, in a byte or in four.
      for (let type = 0; type < 16; type += 1) {
        device = factory();
        const recording = new RecordingMemory(memory);
        memory.write(0x100, Uint8Array.of(type), 0, 1);
        const queues = each().map(
          (index) => new TestQueue(index, recording, (at) => [{ readable, writable }][at]),
        );
        activate(queues, recording);
        for (const { index, used } of queues) {
          recording.reads.length = 0;
          recording.writes.length = 0;
          while (device.notifyQueue(index)) {}
          const written = new Set(addressesOf(recording.writes));
          expect(addressesOf(recording.reads).filter((at) => !mayRead.has(at))).toEqual([]);
          expect([...written].filter((at) => !mayWrite.has(at))).toEqual([]);
          expect(order.slice(0, used.get(0) ?? 0).filter((at) => !written.has(at))).toEqual([]);
        }
      }
    });

    it('uses buffers in the order in which they came, as VIRTIO_F_IN_ORDER demands', () => {
      const buffers = HOSTILE.map(([, buffer]) => buffer);
      const queues = each().map((index) => new TestQueue(index, memory, (at) => buffers[at]));
      activate(queues);
      for (const { index, used } of queues) {
        while (device.notifyQueue(index)) {}
        expect([...used.keys()]).toEqual([...used.keys()].map((_, position) => position));
      }
    });

    it('names the buffers that it keeps, those alone, and none after a reset', () => {
      const buffers = HOSTILE.map(([, buffer]) => buffer);
      const queues = each().map((index) => new TestQueue(index, memory, (at) => buffers[at]));
      expect(each().flatMap((index) => device.keptBuffers?.(index) ?? [])).toEqual([]);
      activate(queues);
      for (const { index } of queues) while (device.notifyQueue(index)) {}
      for (const { index, popped, used } of queues) {
        const kept = [...Array(popped).keys()].filter((head) => !used.has(head));
        expect(device.keptBuffers?.(index) ?? []).toEqual(kept);
      }
      device.reset();
      expect(each().flatMap((index) => device.keptBuffers?.(index) ?? [])).toEqual([]);
    });

    it('accepts any subset of its features', () => {
      const all = device.deviceFeatures;
      const bits = Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit)).filter(
        (bit) => (all & bit) !== 0n,
      );
      for (const subset of [0n, all, ...bits, ...bits.map((bit) => all & ~bit)]) {
        expect(device.acceptFeatures?.(subset | (1n << 32n)) ?? true).toBe(true);
      }
    });

    it('gives others their turn, however many buffers come', () => {
      const buffer = { readable: [part(0, 16)], writable: [part(0x100, 16)] };
      const queues = each().map((index) => new TestQueue(index, memory, () => buffer));
      activate(queues);
      for (const queue of queues) {
        const left = device.notifyQueue(queue.index);
        expect(queue.popped).toBeLessThanOrEqual(4 * queue.size);
        // A queue of buffers for later, such as that of events, is not worked through at all.
        expect(left).toBe(queue.popped > 0);
      }
    });
  });
}
