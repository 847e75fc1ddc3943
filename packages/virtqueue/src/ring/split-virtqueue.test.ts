/** Split virtqueues byte by byte, on the device's side; every number is written out from the standard. */
import { beforeEach, describe, expect, it } from 'vitest';
import { RingMemory, VIEWS } from '../fixtures/ring-memory.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import { InvisibleGuestMemory } from '../testing/wrapped-memory.ts';
import { createDescriptorChain } from './descriptor-chain.ts';
import { SplitVirtqueue } from './split-virtqueue.ts';

const SIZE = 8;
const TABLE = 0x1000;
const AVAIL = 0x2000;
const USED = 0x3000;
const INDIRECT_TABLE = 0x4000;
/** Of the available ring: flags, idx, and behind its 8 entries used_event. */
const [AVAIL_FLAGS, AVAIL_IDX, USED_EVENT] = [AVAIL, AVAIL + 2, AVAIL + 4 + 2 * SIZE];
/** Of the used ring: flags, idx, and behind its 8 entries avail_event. */
const [USED_FLAGS, USED_IDX, AVAIL_EVENT] = [USED, USED + 2, USED + 4 + 8 * SIZE];
/** VIRTQ_DESC_F_NEXT, _WRITE, _INDIRECT. */
const [NEXT, WRITE, INDIRECT] = [1, 2, 4];

let ring: RingMemory;
const chain = createDescriptorChain(SIZE);

beforeEach(() => {
  ring = new RingMemory(0x5000);
});

function queueOn(memory: GuestMemory, eventIdx = false): SplitVirtqueue {
  return new SplitVirtqueue({
    index: 1,
    size: SIZE,
    memory,
    descriptorArea: TABLE,
    driverArea: AVAIL,
    deviceArea: USED,
    indirect: true,
    eventIdx,
    onBroken: (reason) => ring.reasons.push(reason),
  });
}

function half(at: number, value: number): void {
  ring.view.setUint16(at, value, true);
}

/** struct virtq_desc { le64 addr; le32 len; le16 flags; le16 next; } */
function descriptor(at: number, address: number, length: number, flags = 0, next = 0): void {
  ring.view.setBigUint64(at, BigInt(address), true);
  ring.view.setUint32(at + 8, length, true);
  half(at + 12, flags);
  half(at + 14, next);
}

/** Makes buffers of descriptor 0 available, and has each used with `length`. */
function useBuffers(queue: SplitVirtqueue, count: number, length = 0): void {
  half(AVAIL_IDX, ring.view.getUint16(AVAIL_IDX, true) + count);
  while (queue.pop(chain)) queue.pushUsed(chain.head, length);
}

/** What the device wrote, and where, in its order; each write is a message. */
class RecordingMemory extends InvisibleGuestMemory {
  readonly writes: [address: number, length: number][] = [];

  override write(...args: Parameters<GuestMemory['write']>): boolean {
    this.writes.push([args[0], args[3]]);
    return super.write(...args);
  }
}

describe('a split queue', () => {
  it('writes the used element before the used index, and nothing to it afterwards', () => {
    const memory = new RecordingMemory(ring.memory);
    const queue = queueOn(memory);
    half(AVAIL + 4, 3);
    useBuffers(queue, 1, 0x1234);
    expect(memory.writes).toEqual([
      [USED + 4, 8],
      [USED_IDX, 2],
    ]);
    queue.shouldInterrupt();
    expect(memory.writes).toHaveLength(2);
    // struct virtq_used { le16 flags; le16 idx; struct { le32 id; le32 len; } ring[]; }
    expect([...ring.bytes.subarray(USED, USED + 12)]).toEqual([
      ...[0, 0, 1, 0],
      ...[3, 0, 0, 0, 0x34, 0x12, 0, 0],
    ]);
  });

  it('writes all used elements of several buffers before the used index', () => {
    const memory = new RecordingMemory(ring.memory);
    const queue = queueOn(memory);
    for (let index = 0; index < 3; index += 1) half(AVAIL + 4 + 2 * index, index);
    half(AVAIL_IDX, 3);
    while (queue.pop(chain)) {}
    queue.pushUsedTogether(Uint16Array.of(0, 1, 2), Uint32Array.of(5, 6, 7), 3);
    expect(memory.writes.at(-1)).toEqual([USED_IDX, 2]);
    expect(memory.writes.slice(0, -1).map(([address]) => address)).toEqual([
      ...[USED + 4, USED + 12, USED + 20],
    ]);
  });

  it('ignores WRITE of the descriptor that refers to an indirect table', () => {
    descriptor(TABLE, 0x10, 1, NEXT, 1);
    descriptor(TABLE + 16, INDIRECT_TABLE, 32, INDIRECT | WRITE);
    descriptor(INDIRECT_TABLE, 0x20, 2, NEXT, 1);
    descriptor(INDIRECT_TABLE + 16, 0x30, 3, WRITE);
    half(AVAIL_IDX, 1);
    expect(queueOn(ring.memory).pop(chain)).toBe(true);
    expect([chain.count, chain.readableCount, chain.writableLength]).toEqual([3, 2, 3]);
    expect([...chain.addresses.subarray(0, 3)]).toEqual([0x10, 0x20, 0x30]);
  });
});

describe.each(VIEWS)('interrupts of a split queue %s', (_name, wrap) => {
  it.each([0, 1, 2, 7, 0xffff])(
    'without EVENT_IDX go by the lower bit of flags, whatever used_event says: %d',
    (usedEvent) => {
      const queue = queueOn(wrap(ring.memory));
      half(USED_EVENT, usedEvent);
      for (const [flags, expected] of [
        [0, true],
        [1, false],
        [0, true],
      ] as const) {
        half(AVAIL_FLAGS, flags);
        useBuffers(queue, 1);
        expect([queue.shouldInterrupt(), queue.shouldInterrupt()]).toEqual([expected, false]);
      }
    },
  );

  // Five buffers are used, then three: at the indices 5, 6 and 7.
  it.each([
    [4, false],
    [5, true],
    [6, true],
    [7, true],
    [8, false],
    [0xffff, false],
  ])('with EVENT_IDX go by used_event, whatever flags says: %d, %s', (usedEvent, expected) => {
    for (const flags of [0, 1]) {
      ring.bytes.fill(0);
      const queue = queueOn(wrap(ring.memory), true);
      useBuffers(queue, 5);
      queue.shouldInterrupt();
      half(AVAIL_FLAGS, flags);
      half(USED_EVENT, usedEvent);
      useBuffers(queue, 3);
      expect([queue.shouldInterrupt(), queue.shouldInterrupt()]).toEqual([expected, false]);
    }
  });
});

describe.each(VIEWS)('kicks of a split queue %s', (_name, wrap) => {
  const fields = () => [USED_FLAGS, AVAIL_EVENT].map((at) => ring.view.getUint16(at, true));

  it('without EVENT_IDX are asked for by flags, which is 0 or 1', () => {
    const queue = queueOn(wrap(ring.memory));
    queue.disableNotifications();
    expect(fields()).toEqual([1, 0]);
    useBuffers(queue, 2);
    queue.enableNotifications();
    expect(fields()).toEqual([0, 0]);
  });

  it('with EVENT_IDX are asked for by avail_event, and flags stays 0', () => {
    const queue = queueOn(wrap(ring.memory), true);
    queue.disableNotifications();
    expect(fields()).toEqual([0, 0]);
    useBuffers(queue, 2);
    queue.enableNotifications();
    expect(fields()).toEqual([0, 2]);
  });
});
