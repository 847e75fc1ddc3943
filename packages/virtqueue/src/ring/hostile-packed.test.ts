/** Packed rings as a broken or hostile driver writes them: the queue breaks once, with a reason; nothing throws, nothing hangs. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  AVAIL,
  DEVICE_EVENT,
  DRIVER_EVENT,
  END,
  entry,
  INDIRECT,
  INDIRECT_TABLE,
  NEXT,
  PackedRing,
  RING,
  SIZE,
  slot,
  USED,
  WRITE,
} from '../fixtures/packed-ring.ts';
import { InterveningMemory, VIEWS } from '../fixtures/ring-memory.ts';
import { InvisibleGuestMemory } from '../testing/wrapped-memory.ts';
import { createDescriptorChain } from './descriptor-chain.ts';
import type { VirtqueueOptions } from './device-ring.ts';

const chain = createDescriptorChain(SIZE);
let ring: PackedRing;

beforeEach(() => {
  ring = new PackedRing();
});

/** A list of `count` descriptors from slot 0 on; the last one is as given. */
function list(count: number, id: number, flags: number): void {
  for (let index = 0; index < count - 1; index += 1) {
    ring.descriptor(slot(index), 0, 1, id, AVAIL | NEXT);
  }
  ring.descriptor(slot(count - 1), 0, 1, id, flags);
}

describe.each(VIEWS)('a packed ring %s', (_name, wrap) => {
  it.each<[string, () => void, RegExp]>([
    ['a buffer ID beyond the queue', () => list(1, 8, AVAIL), /buffer ID 8 is beyond/],
    ['a buffer ID of 65535', () => list(2, 0xffff, AVAIL), /buffer ID 65535 is beyond/],
    [
      'a list that goes on in a descriptor which is not available',
      () => list(2, 0, 0),
      /goes on in descriptors that are not available/,
    ],
    [
      'a list that goes on in a used descriptor',
      () => list(3, 0, AVAIL | USED),
      /goes on in descriptors that are not available/,
    ],
    [
      'a list that goes on in a descriptor of the next lap',
      () => list(3, 0, USED),
      /goes on in descriptors that are not available/,
    ],
    [
      'a list without an end',
      () => list(8, 0, AVAIL | NEXT),
      /more descriptors are available than the queue has/,
    ],
    [
      'a readable segment after a writable one',
      () => {
        ring.descriptor(slot(0), 0, 1, 0, AVAIL | NEXT | WRITE);
        ring.descriptor(slot(1), 0, 1, 0, AVAIL);
      },
      /readable descriptor after a writable/,
    ],
    [
      'more than 2^32 bytes',
      () => {
        ring.descriptor(slot(0), 0, 0xffff_ffff, 0, AVAIL | NEXT);
        ring.descriptor(slot(1), 0, 2, 0, AVAIL | WRITE);
      },
      /2\^32/,
    ],
    [
      'an indirect descriptor that has a next one',
      () => ring.descriptor(slot(0), INDIRECT_TABLE, 16, 0, AVAIL | INDIRECT | NEXT),
      /indirect descriptor in a list/,
    ],
    [
      'an indirect descriptor after a direct one',
      () => {
        list(1, 0, AVAIL | NEXT);
        ring.descriptor(slot(1), INDIRECT_TABLE, 16, 0, AVAIL | INDIRECT);
      },
      /indirect descriptor in a list/,
    ],
    ...[0, 8, 15, 17, 16 * 9, 0xffff_fff0].map((length): [string, () => void, RegExp] => [
      `an indirect table of ${length} bytes`,
      () => ring.descriptor(slot(0), INDIRECT_TABLE, length, 0, AVAIL | INDIRECT),
      /an indirect table of/,
    ]),
    ...[END - 8, END, 2n ** 63n, 2n ** 64n - 16n].map((at): [string, () => void, RegExp] => [
      `an indirect table at ${at}`,
      () => ring.descriptor(slot(0), at, 16, 0, AVAIL | INDIRECT),
      /an indirect table is not in memory/,
    ]),
    [
      'a readable segment after a writable one in an indirect table',
      () => {
        ring.descriptor(slot(0), INDIRECT_TABLE, 32, 0, AVAIL | INDIRECT);
        ring.descriptor(entry(0), 0, 1, 0, WRITE);
      },
      /readable descriptor after a writable/,
    ],
  ])('%s', (_what, prepare, reason) => {
    prepare();
    ring.expectBroken(ring.queue(wrap), reason);
  });

  it('an indirect table without the feature', () => {
    ring.descriptor(slot(0), INDIRECT_TABLE, 16, 0, AVAIL | INDIRECT);
    ring.expectBroken(ring.queue(wrap, { indirect: false }), /without VIRTIO_F_INDIRECT_DESC/);
  });

  it('a buffer ID that is in use', () => {
    ring.descriptor(slot(0), 0, 1, 3, AVAIL);
    ring.descriptor(slot(1), 0, 1, 3, AVAIL);
    const queue = ring.queue(wrap);
    expect(queue.pop(chain)).toBe(true);
    ring.expectBroken(queue, /buffer ID 3 is in use/);
  });

  it('a ring that is full, and made available once more', () => {
    list(SIZE, 0, AVAIL);
    const queue = ring.queue(wrap);
    expect([queue.pop(chain), queue.pop(chain)]).toEqual([true, false]);
    expect([chain.count, ring.reasons]).toEqual([SIZE, []]);
    ring.descriptor(slot(0), 0, 1, 1, USED);
    ring.expectBroken(queue, /more descriptors are available than the queue has/);
  });

  it('a buffer that changes after it was taken does not change what is given back', () => {
    ring.descriptor(slot(0), 0, 1, 5, AVAIL | NEXT);
    ring.descriptor(slot(1), 0, 1, 5, AVAIL);
    ring.descriptor(slot(2), 0, 1, 6, AVAIL);
    const queue = ring.queue(wrap);
    queue.pop(chain);
    queue.pop(chain);
    ring.descriptor(slot(0), 0, 1, 0xffff, 0xffff);
    ring.descriptor(slot(1), 0, 1, 0xffff, 0xffff);
    queue.pushUsed(5, 7);
    queue.pushUsed(6, 8);
    const tail = (index: number) => [...ring.bytes.subarray(slot(index) + 8, slot(index) + 16)];
    expect(tail(0)).toEqual([7, 0, 0, 0, 5, 0, 0x82, 0x80]);
    expect(tail(2)).toEqual([8, 0, 0, 0, 6, 0, 0x82, 0x80]);
    expect(ring.reasons).toEqual([]);
  });

  it('addresses of 64 bits, of which a number holds 53', () => {
    ring.descriptor(slot(0), 2n ** 53n - 1n, 1, 0, AVAIL | NEXT);
    ring.descriptor(slot(1), 2n ** 64n - 1n, 1, 0, AVAIL);
    expect(ring.queue(wrap).pop(chain)).toBe(true);
    expect([...chain.addresses.subarray(0, 2)]).toEqual([2 ** 53 - 1, 2 ** 53 - 1]);
  });

  it.each<[string, Partial<VirtqueueOptions>]>([
    ['a descriptor ring outside memory', { descriptorArea: END }],
    ['a descriptor ring that ends outside memory', { descriptorArea: END - 32 }],
    ['a driver area outside memory', { driverArea: 2 ** 40 }],
    ['a device area outside memory', { deviceArea: 2 ** 53 - 4 }],
    ['a misaligned descriptor ring', { descriptorArea: RING + 8 }],
    ['a misaligned driver area', { driverArea: DRIVER_EVENT + 2 }],
    ['a misaligned device area', { deviceArea: DEVICE_EVENT + 2 }],
    ['no descriptors', { size: 0 }],
    ['32769 descriptors', { size: 32769 }],
  ])('%s', (_what, options) => {
    for (let index = 0; index < SIZE; index += 1) {
      ring.descriptor(slot(index), 0, 1, index, AVAIL);
      ring.descriptor(END - 32 + 16 * (index & 1), 0, 1, index & 1, AVAIL);
    }
    const queue = ring.queue(wrap, options);
    for (let round = 0; round < 3; round += 1) {
      queue.enableNotifications();
      if (queue.pop(chain)) queue.pushUsed(chain.head, 0);
      queue.shouldInterrupt();
    }
    expect([queue.broken, ring.reasons.length]).toEqual([true, 1]);
  });

  it('a ring that disappears, and one that moves', () => {
    for (let index = 0; index < 3; index += 1) ring.descriptor(slot(index), 0, 1, index, AVAIL);
    const queue = ring.queue(wrap);
    expect(queue.pop(chain)).toBe(true);
    ring.memory.setRegions([{ base: 0, buffer: ring.bytes.slice().buffer }]);
    expect(queue.pop(chain)).toBe(true);
    ring.memory.setRegions([{ base: 0, buffer: ring.bytes.buffer, length: RING }]);
    queue.pushUsed(0, 0);
    expect(ring.reasons).toHaveLength(1);
    expect(queue.pop(chain)).toBe(false);
  });

  it('descriptors of any kind: it answers in bounded time, keeps its accounts, and writes no further than it may', () => {
    /** Mostly as they should be, so that the queue gets far. */
    const mostly = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>) =>
      fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: odd });
    const direction = fc.constantFrom(0, 0, WRITE, NEXT, NEXT);
    const descriptor = fc.record({
      address: fc.nat(END),
      length: mostly(fc.nat(64), fc.nat(0xffff_ffff)),
      shift: mostly(fc.constant(0), fc.nat(0xffff)),
      flags: mostly(direction, fc.nat(0xffff)),
      inLap: mostly(fc.constant(true), fc.constant(false)),
    });
    const laps = fc.array(fc.array(descriptor, { minLength: SIZE, maxLength: SIZE }), {
      minLength: 1,
      maxLength: 4,
    });
    const orders = fc.array(fc.nat(), { minLength: 4 * SIZE, maxLength: 4 * SIZE });
    fc.assert(
      fc.property(
        laps,
        orders,
        fc.boolean(),
        fc.nat(0xffff_ffff),
        (all, order, eventIdx, event) => {
          ring = new PackedRing();
          ring.view.setUint32(DRIVER_EVENT, event, true);
          const queue = ring.queue(wrap, { eventIdx });
          const held: number[] = [];
          const steps = order.values();
          for (const [lap, table] of all.entries()) {
            table.forEach(({ address, length, shift, flags, inLap }, index) => {
              const available = (lap % 2 === 0) === inLap ? AVAIL : USED;
              const kind = (flags & ~(AVAIL | USED)) | available;
              ring.descriptor(slot(index), address, length, (index + shift) & 0xffff, kind);
            });
            let popped = 0;
            for (; queue.pop(chain); popped += 1) held.push(chain.head);
            expect(popped).toBeLessThanOrEqual(SIZE);
            expect(new Set(held).size).toBe(held.length);
            const before = ring.bytes.slice();
            while (held.length > 0) {
              queue.pushUsed(held.splice(steps.next().value! % held.length, 1)[0]!, 3);
            }
            queue.enableNotifications();
            queue.shouldInterrupt();
            for (const bytes of [before, ring.bytes]) {
              bytes.fill(0, RING, slot(SIZE));
              bytes.fill(0, DEVICE_EVENT, DEVICE_EVENT + 4);
            }
            expect(ring.isSame(before)).toBe(true);
          }
          expect(ring.reasons.length).toBe(queue.broken ? 1 : 0);
        },
      ),
    );
  });
});

it('a queue that the driver takes back while it is read gives out nothing, and interrupts nobody', () => {
  for (const index of [0, 1]) ring.descriptor(slot(index), 0, 1, index, AVAIL);
  let seen!: InterveningMemory;
  const create = () =>
    ring.queue((memory) => {
      seen = new InterveningMemory(memory, () => queue.retire());
      return seen;
    });
  let queue = create();
  seen.at = 2;
  expect(queue.pop(chain)).toBe(false);
  queue = create();
  queue.pop(chain);
  queue.pushUsed(0, 0);
  seen.at = seen.messages + 1;
  expect([queue.shouldInterrupt(), queue.broken, ring.reasons]).toEqual([false, true, []]);
  ring.descriptor(slot(0), 0, 1, 0, AVAIL);
  queue = create();
  // Its wish for kicks, and what it looks at once more.
  seen.at = seen.messages + 2;
  expect([queue.enableNotifications(), queue.broken]).toEqual([false, true]);
});

it('looks at the flags of a buffer before the rest of it, and at them but once', () => {
  ring.descriptor(slot(0), 0x77, 1, 0, AVAIL);
  const queue = ring.queue((memory) => {
    const seen = new InterveningMemory(memory, () =>
      ring.descriptor(slot(0), 0x88, 2, 7, AVAIL | NEXT | INDIRECT),
    );
    seen.at = 1;
    return seen;
  });
  expect(queue.pop(chain)).toBe(true);
  expect([chain.head, chain.count, chain.addresses[0]]).toEqual([0, 1, 0x88]);
});

it('out of sight, a direct buffer costs two messages to take and two to give back', () => {
  let seen!: InvisibleGuestMemory;
  const queue = ring.queue((memory) => {
    seen = new InvisibleGuestMemory(memory);
    return seen;
  });
  ring.descriptor(slot(0), 0x77, 1, 0, AVAIL);
  queue.pop(chain);
  // The flags, and the descriptor.
  expect(seen.messages).toBe(2);
  queue.pushUsed(0, 0);
  // The length, and the flags.
  expect(seen.messages).toBe(4);
});
