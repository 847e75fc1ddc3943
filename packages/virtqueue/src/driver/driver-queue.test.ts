/** What a driver's queue writes, when, and what it refuses; numbers are written out from the standard. */
import { beforeEach, describe, expect, it } from 'vitest';
import { ArrayGuestMemory } from '../memory/array-guest-memory.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import { InvisibleGuestMemory } from '../testing/wrapped-memory.ts';
import { createDriverQueue } from './create-driver-queue.ts';
import type { DriverQueue } from './driver-queue.ts';

const SIZE = 8;
const QUEUE = 0x1000;
const TABLE = 0x3000;
/** Of a split queue of 8 descriptors: flags, idx and used_event of the available ring; flags, idx, avail_event of the used one. */
const [AVAIL_FLAGS, AVAIL_IDX] = [0x1080, 0x1082];
const [USED_FLAGS, USED_IDX, AVAIL_EVENT] = [0x1098, 0x109a, 0x10dc];
/** VIRTIO_F_INDIRECT_DESC, VIRTIO_F_EVENT_IDX, VIRTIO_F_RING_PACKED. */
const [INDIRECT_DESC, EVENT_IDX, PACKED] = [1n << 28n, 1n << 29n, 1n << 34n];
const LAYOUTS: [string, bigint][] = [
  ['split', 0n],
  ['packed', PACKED],
];

/** What was written, and where, in its order; each write is a message. */
class RecordingMemory extends InvisibleGuestMemory {
  readonly writes: [address: number, length: number][] = [];

  override write(...args: Parameters<GuestMemory['write']>): boolean {
    this.writes.push([args[0], args[3]]);
    return super.write(...args);
  }
}

let bytes: Uint8Array<ArrayBuffer>;
let view: DataView;
let memory: RecordingMemory;

beforeEach(() => {
  bytes = new Uint8Array(0x4000).fill(0xee);
  view = new DataView(bytes.buffer);
  memory = new RecordingMemory(new ArrayGuestMemory([{ base: 0, buffer: bytes.buffer }]));
});

const create = (features: bigint, size = SIZE, address = QUEUE): DriverQueue =>
  createDriverQueue({ features, size, memory, address });
const segments = (count: number, length = 1) =>
  Array.from({ length: count }, (_, index) => ({ address: 0x100 * index, length }));
const half = (at: number) => view.getUint16(at, true);
const code = (value: string) => expect.objectContaining({ code: value });

describe.each(LAYOUTS)('a %s queue', (_name, layout) => {
  it.each([0, 1.5, -8, 65536, ...(layout === 0n ? [3, 24] : [32769])])(
    'of %d descriptors is refused',
    (size) => {
      expect(() => create(layout, size)).toThrow(code('QUEUE_SIZE'));
    },
  );

  it('that is not aligned is refused, as the device sees it', () => {
    expect(() => create(layout, SIZE, QUEUE + 8)).toThrow(code('RING_ALIGNMENT'));
    const place = { features: layout, size: SIZE, memory, address: QUEUE };
    expect(() => createDriverQueue({ ...place, deviceAddress: 0x9_0000_0004 })).toThrow(
      code('RING_ALIGNMENT'),
    );
    const { descriptorArea, driverArea, deviceArea } = create(layout).addresses;
    expect([descriptorArea % 16, driverArea % 4, deviceArea % 4]).toEqual([0, 0, 0]);
  });

  it('takes no buffer of more than 2^32 bytes, and none that is longer than the queue', () => {
    const queue = create(layout | INDIRECT_DESC);
    const long = [{ address: 0, length: 0xffff_ffff }];
    const table = { address: TABLE, deviceAddress: TABLE };
    expect(() => queue.add(long, segments(1, 2), 0)).toThrow(code('BUFFER_LENGTH'));
    expect(() => queue.addIndirect(table, long, segments(1, 2), 0)).toThrow(code('BUFFER_LENGTH'));
    expect(() => queue.addIndirect(table, segments(5), segments(4), 0)).toThrow(
      code('TABLE_LENGTH'),
    );
    expect(queue.add(segments(5), segments(4), 0)).toBe(false);
    expect(queue.freeCount).toBe(SIZE);
    expect(queue.add(long, segments(1, 1), 0)).toBe(true);
  });

  it('has indirect tables only with VIRTIO_F_INDIRECT_DESC', () => {
    const table = { address: TABLE, deviceAddress: TABLE };
    expect(() => create(layout).addIndirect(table, segments(1), [], 0)).toThrow(
      code('NO_INDIRECT_DESC'),
    );
    expect(create(layout | INDIRECT_DESC).addIndirect(table, segments(1), [], 0)).toBe(true);
  });

  it('leaves what is with the device alone, and takes no more than it has room for', () => {
    const queue = create(layout);
    queue.add(segments(3), [], 0);
    queue.add(segments(2), segments(1), 1);
    const before = bytes.slice(QUEUE, QUEUE + 16 * 6);
    expect(queue.add(segments(3), [], 2)).toBe(false);
    expect(queue.add(segments(2), [], 2)).toBe(true);
    queue.enableInterrupts(false);
    queue.enableInterrupts(true);
    queue.shouldNotify();
    expect(queue.add(segments(1), [], 3)).toBe(false);
    expect(bytes.slice(QUEUE, QUEUE + 16 * 6)).toEqual(before);
  });

  it('goes on when it is told of used buffers, and there are none', () => {
    const queue = create(layout);
    queue.add(segments(1), [], 5);
    const used = { token: -1, length: -1 };
    expect([queue.takeUsed(used), queue.takeUsed(used), queue.freeCount]).toEqual([
      ...[false, false, 7],
    ]);
  });
});

describe('a split queue', () => {
  it('writes descriptors and the ring before the available index, which only grows', () => {
    const queue = create(0n);
    const indices: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      memory.writes.length = 0;
      queue.add(segments(1), segments(1), round);
      expect(memory.writes.at(-1)).toEqual([AVAIL_IDX, 2]);
      expect(memory.writes.filter(([address]) => address === AVAIL_IDX)).toHaveLength(1);
      indices.push(half(AVAIL_IDX));
    }
    expect(indices).toEqual([1, 2, 3]);
  });

  it('links readable segments before writable ones, with no flag of a table inside one', () => {
    const queue = create(INDIRECT_DESC);
    queue.addIndirect({ address: TABLE, deviceAddress: 0x9000 }, segments(2), segments(1), 0);
    const flagsAndNext = (at: number) => [half(at + 12), half(at + 14)];
    expect(flagsAndNext(QUEUE)).toEqual([4, 0]);
    expect([0, 1, 2].map((index) => flagsAndNext(TABLE + 16 * index))).toEqual([
      ...[
        [1, 1],
        [1, 2],
        [2, 0],
      ],
    ]);
  });

  it('starts with `flags` of both rings 0', () => {
    create(0n);
    expect([half(AVAIL_FLAGS), half(USED_FLAGS), half(AVAIL_IDX), half(USED_IDX)]).toEqual([
      ...[0, 0, 0, 0],
    ]);
  });

  it('asks for interrupts by `flags`, 0 or 1; with EVENT_IDX it stays 0', () => {
    const flags = (features: bigint) => {
      const queue = create(features);
      return [true, false, true].map((enabled) => {
        queue.enableInterrupts(enabled);
        return half(AVAIL_FLAGS);
      });
    };
    expect(flags(0n)).toEqual([0, 1, 0]);
    expect(flags(EVENT_IDX)).toEqual([0, 0, 0]);
  });

  it.each([
    [0, true],
    [1, false],
    [2, true],
  ])(
    'without EVENT_IDX kicks by the lower bit of `flags`, whatever avail_event says: %d',
    (flags, kicks) => {
      for (const availEvent of [0, 1, 7, 0xffff]) {
        const queue = create(0n);
        view.setUint16(USED_FLAGS, flags, true);
        view.setUint16(AVAIL_EVENT, availEvent, true);
        queue.add(segments(1), [], 0);
        expect([queue.shouldNotify(), queue.shouldNotify()]).toEqual([kicks, false]);
      }
    },
  );

  // Three buffers, at the indices 2, 3 and 4.
  it.each([
    [1, false],
    [2, true],
    [3, true],
    [4, true],
    [5, false],
    [0xffff, false],
  ])('with EVENT_IDX kicks by avail_event, whatever `flags` says: %d, %s', (availEvent, kicks) => {
    for (const flags of [0, 1]) {
      const queue = create(EVENT_IDX);
      for (let token = 0; token < 2; token += 1) queue.add(segments(1), [], token);
      queue.shouldNotify();
      view.setUint16(USED_FLAGS, flags, true);
      view.setUint16(AVAIL_EVENT, availEvent, true);
      for (let token = 2; token < 5; token += 1) queue.add(segments(1), [], token);
      expect([queue.shouldNotify(), queue.shouldNotify()]).toEqual([kicks, false]);
    }
  });
});

describe('a packed queue', () => {
  it('writes the flags of the first descriptor after all else, and nothing afterwards', () => {
    const queue = create(PACKED);
    memory.writes.length = 0;
    queue.add(segments(2), segments(1), 0);
    expect(memory.writes).toEqual([
      [QUEUE, 12],
      [QUEUE + 16, 16],
      [QUEUE + 32, 16],
      [QUEUE + 12, 4],
    ]);
    queue.shouldNotify();
    queue.enableInterrupts(true);
    expect(memory.writes.slice(4)).toEqual([[QUEUE + 16 * SIZE, 4]]);
  });
});
