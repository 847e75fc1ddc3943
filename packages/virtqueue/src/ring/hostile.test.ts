/** Split rings as a broken or hostile driver writes them: the queue breaks once, with a reason; nothing throws, nothing hangs. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { InterveningMemory, RingMemory, VIEWS } from '../fixtures/ring-memory.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import { InvisibleGuestMemory } from '../testing/wrapped-memory.ts';
import { createDescriptorChain } from './descriptor-chain.ts';
import type { VirtqueueOptions } from './device-ring.ts';
import { SplitVirtqueue } from './split-virtqueue.ts';

const SIZE = 8;
const TABLE = 0x1000;
const AVAIL = 0x2000;
const USED = 0x3000;
const INDIRECT_TABLE = 0x4000;
const END = 0x5000;
/** VIRTQ_DESC_F_NEXT, _WRITE, _INDIRECT. */
const [NEXT, WRITE, INDIRECT] = [1, 2, 4];

let ring: RingMemory;
const chain = createDescriptorChain(SIZE);

beforeEach(() => {
  ring = new RingMemory(END);
});

function queueOn(seen: GuestMemory, options: Partial<VirtqueueOptions> = {}): SplitVirtqueue {
  return new SplitVirtqueue({
    index: 1,
    size: SIZE,
    memory: seen,
    descriptorArea: TABLE,
    driverArea: AVAIL,
    deviceArea: USED,
    indirect: true,
    eventIdx: false,
    onBroken: (reason) => ring.reasons.push(reason),
    ...options,
  });
}

/** struct virtq_desc { le64 addr; le32 len; le16 flags; le16 next; } */
function descriptor(
  at: number,
  address: number | bigint,
  length: number,
  flags = 0,
  next = 0,
): void {
  ring.view.setBigUint64(at, BigInt(address), true);
  ring.view.setUint32(at + 8, length, true);
  ring.view.setUint16(at + 12, flags, true);
  ring.view.setUint16(at + 14, next, true);
}
const direct = (index: number) => TABLE + 16 * index;
const indirect = (index: number) => INDIRECT_TABLE + 16 * index;

/** struct virtq_avail { le16 flags; le16 idx; le16 ring[]; } */
function available(...heads: number[]): void {
  heads.forEach((head, slot) => {
    ring.view.setUint16(AVAIL + 4 + 2 * slot, head, true);
  });
  ring.view.setUint16(AVAIL + 2, heads.length, true);
}

describe.each(VIEWS)('a ring %s', (_name, wrap) => {
  it.each<[string, () => void, RegExp]>([
    ['a head beyond the queue', () => available(8), /index 8 is beyond/],
    ['a head of 65535', () => available(0xffff), /index 65535 is beyond/],
    [
      'a next beyond the queue',
      () => {
        descriptor(direct(0), 0, 1, NEXT, 8);
        available(0);
      },
      /index 8 is beyond/,
    ],
    [
      'a descriptor whose next is itself',
      () => {
        descriptor(direct(0), 0, 1, NEXT, 0);
        available(0);
      },
      /loop/,
    ],
    [
      'a loop of two',
      () => {
        descriptor(direct(0), 0, 1, NEXT, 5);
        descriptor(direct(5), 0, 1, NEXT, 0);
        available(0);
      },
      /loop/,
    ],
    [
      'a readable segment after a writable one',
      () => {
        descriptor(direct(0), 0, 1, NEXT | WRITE, 1);
        descriptor(direct(1), 0, 1);
        available(0);
      },
      /readable descriptor after a writable/,
    ],
    [
      'more than 2^32 bytes',
      () => {
        descriptor(direct(0), 0, 0xffff_ffff, NEXT, 1);
        descriptor(direct(1), 0, 2, WRITE);
        available(0);
      },
      /2\^32/,
    ],
    [
      'an available index that jumped',
      () => {
        available(0, 1);
        ring.view.setUint16(AVAIL + 2, SIZE + 1, true);
      },
      /jumped from 0 to 9/,
    ],
    [
      'an available index that went back',
      () => ring.view.setUint16(AVAIL + 2, 0xffff, true),
      /jumped from 0 to 65535/,
    ],
    [
      'an indirect descriptor that has a next one',
      () => {
        descriptor(direct(0), INDIRECT_TABLE, 16, INDIRECT | NEXT, 1);
        available(0);
      },
      /indirect descriptor has a next/,
    ],
    [
      'an indirect table inside another',
      () => {
        descriptor(direct(0), INDIRECT_TABLE, 16, INDIRECT);
        descriptor(indirect(0), INDIRECT_TABLE, 16, INDIRECT);
        available(0);
      },
      /inside another/,
    ],
    ...[0, 8, 15, 17, 16 * 9, 0xffff_fff0].map((length): [string, () => void, RegExp] => [
      `an indirect table of ${length} bytes`,
      () => {
        descriptor(direct(0), INDIRECT_TABLE, length, INDIRECT);
        available(0);
      },
      /an indirect table of/,
    ]),
    ...[END - 8, END, 2n ** 63n, 2n ** 64n - 16n].map((at): [string, () => void, RegExp] => [
      `an indirect table at ${at}`,
      () => {
        descriptor(direct(0), at, 16, INDIRECT);
        available(0);
      },
      /an indirect table is not in memory/,
    ]),
    [
      'a next beyond the indirect table',
      () => {
        descriptor(direct(0), INDIRECT_TABLE, 32, INDIRECT);
        descriptor(indirect(0), 0, 1, NEXT, 2);
        available(0);
      },
      /beyond the indirect table/,
    ],
    [
      'a loop in an indirect table',
      () => {
        descriptor(direct(0), INDIRECT_TABLE, 32, INDIRECT);
        descriptor(indirect(0), 0, 1, NEXT, 1);
        descriptor(indirect(1), 0, 1, NEXT, 0);
        available(0);
      },
      /loop/,
    ],
    [
      'direct and indirect segments, together more than the queue has',
      () => {
        descriptor(direct(0), 0, 1, NEXT, 1);
        descriptor(direct(1), INDIRECT_TABLE, 16 * 8, INDIRECT);
        for (let index = 0; index < 8; index += 1) {
          descriptor(indirect(index), 0, 1, index < 7 ? NEXT : 0, index + 1);
        }
        available(0);
      },
      /longer than the queue/,
    ],
  ])('%s', (_what, prepare, reason) => {
    prepare();
    ring.expectBroken(queueOn(wrap(ring.memory)), reason);
  });

  it('an indirect table without the feature', () => {
    descriptor(direct(0), INDIRECT_TABLE, 16, INDIRECT);
    available(0);
    const queue = queueOn(wrap(ring.memory), { indirect: false });
    expect(queue.pop(chain)).toBe(false);
    expect(ring.reasons).toEqual([expect.stringContaining('without VIRTIO_F_INDIRECT_DESC')]);
  });

  it('indirect tables as they may be: misaligned, full, after direct descriptors, with any flag on the way in', () => {
    descriptor(direct(2), 0x111, 1, NEXT, 4);
    descriptor(direct(4), INDIRECT_TABLE + 3, 32, INDIRECT | WRITE);
    descriptor(indirect(0) + 3, 0x222, 2, NEXT | WRITE, 1);
    descriptor(indirect(1) + 3, 0x333, 3, WRITE, 77);
    available(2);
    const queue = queueOn(wrap(ring.memory));
    expect(queue.pop(chain)).toBe(true);
    expect([...chain.addresses.subarray(0, chain.count)]).toEqual([0x111, 0x222, 0x333]);
    expect([chain.head, chain.readableCount, chain.writableLength]).toEqual([2, 1, 5]);
  });

  it('addresses of 64 bits, of which a number holds 53', () => {
    descriptor(direct(0), 2n ** 53n - 1n, 1, NEXT, 1);
    descriptor(direct(1), 2n ** 64n - 1n, 1);
    available(0);
    expect(queueOn(wrap(ring.memory)).pop(chain)).toBe(true);
    expect([...chain.addresses.subarray(0, 2)]).toEqual([2 ** 53 - 1, 2 ** 53 - 1]);
  });

  it.each<[string, Partial<VirtqueueOptions>]>([
    ['a descriptor table outside memory', { descriptorArea: END }],
    ['a descriptor table that ends outside memory', { descriptorArea: END - 32 }],
    ['an available ring outside memory', { driverArea: 2 ** 40 }],
    ['an available ring that ends outside memory', { driverArea: END - 6 }],
    ['a used ring outside memory', { deviceArea: 2 ** 53 - 4 }],
    ['a misaligned descriptor table', { descriptorArea: TABLE + 8 }],
    ['a misaligned available ring', { driverArea: AVAIL + 1 }],
    ['a misaligned used ring', { deviceArea: USED + 2 }],
    ['no descriptors', { size: 0 }],
    ['three descriptors', { size: 3 }],
    ['65536 descriptors', { size: 65536 }],
  ])('%s', (_what, options) => {
    available(5, 5);
    ring.view.setUint16(END - 4, 2, true);
    const queue = queueOn(wrap(ring.memory), options);
    for (let round = 0; round < 3; round += 1) {
      queue.enableNotifications();
      if (queue.pop(chain)) queue.pushUsed(chain.head, 0);
    }
    expect([queue.broken, ring.reasons.length]).toEqual([true, 1]);
  });

  it('a ring that disappears, and one that moves', () => {
    available(0, 0, 0);
    descriptor(direct(0), 0x77, 1);
    const queue = queueOn(wrap(ring.memory));
    expect(queue.pop(chain)).toBe(true);
    ring.memory.setRegions([{ base: 0, buffer: ring.bytes.slice().buffer }]);
    expect(queue.pop(chain)).toBe(true);
    ring.memory.setRegions([{ base: 0, buffer: ring.bytes.buffer, length: USED }]);
    queue.pushUsed(0, 0);
    expect(ring.reasons).toHaveLength(1);
    expect(queue.pop(chain)).toBe(false);
  });

  it('any bytes at all: it answers in bounded time, and writes to the used ring alone', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 0x90, maxLength: 0x90 }),
        fc.array(fc.nat(9), { maxLength: SIZE }),
        fc.boolean(),
        (table, heads, eventIdx) => {
          ring = new RingMemory(END);
          ring.bytes.set(table, TABLE);
          // Small flags and next fields make chains that go on.
          for (let index = 0; index < SIZE; index += 1) {
            ring.bytes[direct(index) + 12]! &= 7;
            ring.bytes[direct(index) + 13] = 0;
            ring.bytes[direct(index) + 14]! &= 15;
            ring.bytes[direct(index) + 15] = 0;
          }
          available(...heads);
          const before = ring.bytes.slice();
          const queue = queueOn(wrap(ring.memory), { eventIdx });
          let popped = 0;
          for (; popped < 20 && queue.pop(chain); popped += 1) queue.pushUsed(chain.head, popped);
          expect(popped).toBeLessThanOrEqual(heads.length);
          expect(ring.reasons.length).toBe(queue.broken ? 1 : 0);
          if (!queue.broken) expect(popped).toBe(heads.length);
          before.fill(0, USED, USED + 6 + 8 * SIZE);
          ring.bytes.fill(0, USED, USED + 6 + 8 * SIZE);
          expect(ring.isSame(before)).toBe(true);
        },
      ),
    );
  });
});

it('a queue that the driver takes back while it is read gives out nothing, and interrupts nobody', () => {
  available(0, 0);
  let queue!: SplitVirtqueue;
  const seen = new InterveningMemory(ring.memory, () => queue.retire());
  // The available index, the slot, the descriptor.
  seen.at = 3;
  queue = queueOn(seen);
  expect(queue.pop(chain)).toBe(false);
  queue = queueOn(seen);
  queue.pop(chain);
  queue.pushUsed(0, 0);
  seen.at = seen.messages + 1;
  expect([queue.shouldInterrupt(), queue.broken, ring.reasons]).toEqual([false, true, []]);
  queue = queueOn(seen);
  // Its wish for kicks, and what it looks at once more.
  seen.at = seen.messages + 2;
  expect([queue.enableNotifications(), queue.broken]).toEqual([false, true]);
});

it('out of sight, a direct buffer costs a message for its descriptor and one to give it back', () => {
  const seen = new InvisibleGuestMemory(ring.memory);
  descriptor(direct(0), 0x77, 1);
  available(0, 0);
  const queue = queueOn(seen);
  queue.pop(chain);
  seen.messages = 0;
  queue.pop(chain);
  // The slot of the available ring, and the descriptor.
  expect(seen.messages).toBe(2);
  queue.pushUsed(0, 0);
  // The used element, and the used index.
  expect(seen.messages).toBe(4);
});
