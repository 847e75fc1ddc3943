/** Packed virtqueues byte by byte, device side and driver side; every number is written out from the standard. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DriverQueue } from '../driver/driver-queue.ts';
import { PackedDriverQueue, packedQueueLayout } from '../driver/packed-driver-queue.ts';
import {
  AVAIL,
  DEVICE_EVENT,
  DRIVER_EVENT,
  entry,
  INDIRECT,
  INDIRECT_TABLE,
  NEXT,
  PackedRing,
  RING,
  slot,
  USED,
  WRITE,
} from '../fixtures/packed-ring.ts';
import { ArrayGuestMemory } from '../memory/array-guest-memory.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import { InvisibleGuestMemory } from '../testing/wrapped-memory.ts';
import { createDescriptorChain } from './descriptor-chain.ts';
import { PackedVirtqueue } from './packed-virtqueue.ts';

/** Notes the address of each write, which is a message. */
class RecordingMemory extends InvisibleGuestMemory {
  readonly #writes: number[];

  constructor(memory: GuestMemory, writes: number[]) {
    super(memory);
    this.#writes = writes;
  }

  override write(...args: Parameters<GuestMemory['write']>): boolean {
    this.#writes.push(args[0]);
    return super.write(...args);
  }
}

const chain = createDescriptorChain(8);
let ring: PackedRing;

beforeEach(() => {
  ring = new PackedRing();
});

const hex = (at: number, length: number) =>
  [...ring.bytes.subarray(at, at + length)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join(' ');
const segments = () =>
  Array.from({ length: chain.count }, (_, index) => [chain.addresses[index], chain.lengths[index]]);

describe('the device', () => {
  it('takes a descriptor whose AVAIL matches its wrap counter and whose USED does not', () => {
    const queue = ring.queue();
    for (const flags of [0, USED, AVAIL | USED]) {
      ring.descriptor(slot(0), 0x1234, 5, 3, flags);
      expect(queue.pop(chain)).toBe(false);
    }
    ring.descriptor(slot(0), 0x1_2345_6789, 5, 3, AVAIL | WRITE);
    expect(queue.pop(chain)).toBe(true);
    expect([chain.head, chain.readableCount, segments()]).toEqual([3, 0, [[0x1_2345_6789, 5]]]);
    expect(queue.pop(chain)).toBe(false);
    queue.pushUsed(3, 4);
    // The address stays; len 4, id 3, AVAIL | USED | WRITE.
    expect(hex(RING, 16)).toBe('89 67 45 23 01 00 00 00 04 00 00 00 03 00 82 80');
    expect(ring.reasons).toEqual([]);
  });

  it('writes one used descriptor for a list, and skips the rest of it', () => {
    const queue = ring.queue();
    ring.descriptor(slot(0), 0xa0, 1, 0x77, AVAIL | NEXT);
    ring.descriptor(slot(1), 0xb0, 2, 0x77, AVAIL | NEXT | WRITE);
    ring.descriptor(slot(2), 0xc0, 3, 6, AVAIL | WRITE);
    ring.descriptor(slot(3), 0xd0, 4, 2, AVAIL);
    expect(queue.pop(chain)).toBe(true);
    expect([chain.head, chain.readableCount, chain.writableLength]).toEqual([6, 1, 5]);
    expect(segments()).toEqual([
      [0xa0, 1],
      [0xb0, 2],
      [0xc0, 3],
    ]);
    expect(queue.pop(chain)).toBe(true);
    expect(chain.head).toBe(2);
    const rest = hex(slot(1), 32);
    queue.pushUsed(6, 5);
    queue.pushUsed(2, 0);
    expect(hex(slot(0) + 8, 8)).toBe('05 00 00 00 06 00 82 80');
    expect(hex(slot(1), 32)).toBe(rest);
    // Nothing was written: WRITE is not set.
    expect(hex(slot(3) + 8, 8)).toBe('00 00 00 00 02 00 80 80');
  });

  it('writes used descriptors in the order of completion', () => {
    const queue = ring.queue();
    ring.descriptor(slot(0), 0, 1, 0, AVAIL);
    ring.descriptor(slot(1), 0, 1, 0x77, AVAIL | NEXT);
    ring.descriptor(slot(2), 0, 1, 1, AVAIL);
    queue.pop(chain);
    queue.pop(chain);
    queue.pushUsed(1, 9);
    // In the slot of the first buffer, over what was in it; the next goes two further on.
    expect(hex(slot(0) + 8, 8)).toBe('09 00 00 00 01 00 82 80');
    queue.pushUsed(0, 7);
    expect(hex(slot(2) + 8, 8)).toBe('07 00 00 00 00 00 82 80');
  });

  it('writes the flags of a used descriptor after the rest of it, and nothing to it afterwards', () => {
    const writes: number[] = [];
    const queue = ring.queue((memory) => new RecordingMemory(memory, writes));
    ring.descriptor(slot(0), 0, 1, 4, AVAIL | WRITE);
    ring.descriptor(slot(1), 0, 1, 5, AVAIL | WRITE);
    queue.pop(chain);
    queue.pop(chain);
    queue.pushUsed(4, 7);
    expect(writes).toEqual([slot(0) + 8, slot(0) + 12]);
    queue.pushUsed(5, 8);
    queue.enableNotifications();
    queue.shouldInterrupt();
    expect(writes).toEqual([
      ...[0, 1].flatMap((at) => [slot(at) + 8, slot(at) + 12]),
      DEVICE_EVENT,
    ]);
  });

  it('writes the flags of the first of several buffers after all else', () => {
    const writes: number[] = [];
    const queue = ring.queue((memory) => new RecordingMemory(memory, writes));
    ring.descriptor(slot(0), 0, 1, 4, AVAIL | WRITE);
    ring.descriptor(slot(1), 0, 1, 0x77, AVAIL | NEXT | WRITE);
    ring.descriptor(slot(2), 0, 1, 5, AVAIL | WRITE);
    ring.descriptor(slot(3), 0, 1, 6, AVAIL | WRITE);
    for (let index = 0; index < 3; index += 1) queue.pop(chain);
    queue.pushUsedTogether(Uint16Array.of(4, 5, 6), Uint32Array.of(7, 8, 0), 3);
    expect(writes.at(-1)).toBe(slot(0) + 12);
    expect(writes.slice(0, -1).sort((a, b) => a - b)).toEqual(
      [8, 16 + 8, 16 + 12, 48 + 8, 48 + 12].map((offset) => RING + offset),
    );
    expect([0, 1, 3].map((index) => hex(slot(index) + 8, 8))).toEqual([
      '07 00 00 00 04 00 82 80',
      '08 00 00 00 05 00 82 80',
      '00 00 00 00 06 00 80 80',
    ]);
  });

  it('turns its wrap counter at the end of the ring, in the middle of a list too', () => {
    const queue = ring.queue((memory) => memory, { size: 3 });
    ring.descriptor(slot(0), 0, 1, 0x77, AVAIL | NEXT);
    ring.descriptor(slot(1), 0, 1, 0, AVAIL);
    queue.pop(chain);
    queue.pushUsed(0, 1);
    // Slot 2 is of the first lap, slot 0 of the second: AVAIL is clear and USED set.
    ring.descriptor(slot(0), 0xb0, 2, 1, USED | WRITE);
    ring.descriptor(slot(2), 0xa0, 1, 0x77, AVAIL | NEXT);
    expect(queue.pop(chain)).toBe(true);
    expect([chain.head, segments()]).toEqual([
      1,
      [
        [0xa0, 1],
        [0xb0, 2],
      ],
    ]);
    expect(queue.pop(chain)).toBe(false);
    queue.pushUsed(1, 2);
    expect(hex(slot(2) + 8, 8)).toBe('02 00 00 00 01 00 82 80');
    ring.descriptor(slot(1), 0xc0, 3, 2, USED);
    expect(queue.pop(chain)).toBe(true);
    queue.pushUsed(2, 3);
    // Used in the second lap: AVAIL and USED are both clear.
    expect(hex(slot(1) + 8, 8)).toBe('03 00 00 00 02 00 02 00');
    expect(ring.reasons).toEqual([]);
  });

  it('takes an indirect table in order, and of its flags WRITE alone', () => {
    ring.descriptor(slot(0), INDIRECT_TABLE, 48, 4, AVAIL | INDIRECT | WRITE);
    ring.descriptor(entry(0), 0xa0, 1, 9, 0);
    ring.descriptor(entry(1), 0xb0, 2, 9, NEXT | INDIRECT | AVAIL | USED);
    ring.descriptor(entry(2), 0xc0, 3, 9, WRITE);
    const queue = ring.queue();
    expect(queue.pop(chain)).toBe(true);
    expect([chain.head, chain.readableCount]).toEqual([4, 2]);
    expect(segments()).toEqual([
      [0xa0, 1],
      [0xb0, 2],
      [0xc0, 3],
    ]);
    queue.pushUsed(4, 3);
    expect(hex(slot(0) + 8, 8)).toBe('03 00 00 00 04 00 82 80');
    ring.descriptor(slot(1), 0, 1, 5, AVAIL);
    expect(queue.pop(chain)).toBe(true);
  });

  it('says by its event suppression structure when it wants a kick', () => {
    const queue = ring.queue();
    queue.disableNotifications();
    expect(hex(DEVICE_EVENT, 4)).toBe('00 00 01 00');
    queue.enableNotifications();
    expect(hex(DEVICE_EVENT, 4)).toBe('00 00 00 00');
    const other = ring.queue((memory) => memory, { eventIdx: true, size: 3 });
    other.enableNotifications();
    expect(hex(DEVICE_EVENT, 4)).toBe('00 80 02 00');
    for (const index of [0, 1]) ring.descriptor(slot(index), 0, 1, index, AVAIL);
    while (other.pop(chain)) {}
    other.enableNotifications();
    expect(hex(DEVICE_EVENT, 4)).toBe('02 80 02 00');
    ring.descriptor(slot(2), 0, 1, 2, AVAIL);
    other.pop(chain);
    other.enableNotifications();
    expect(hex(DEVICE_EVENT, 4)).toBe('00 00 02 00');
  });

  // Buffers of 1, 2 and 1 descriptors are used, from slot 6 of the first lap to slot 2 of the second.
  it.each<[string, boolean, number, boolean]>([
    ['ENABLE', false, 0x0000_0000, true],
    ['DISABLE', false, 0x0001_0000, false],
    ['DESC without EVENT_IDX', false, 0x0002_0003, true],
    ['the reserved value', true, 0x0003_0000, true],
    ['DESC of the slot before', true, 0x0002_8005, false],
    ['DESC of the first slot', true, 0x0002_8006, true],
    ['DESC of the second buffer', true, 0x0002_8007, true],
    ['DESC in the midst of the second buffer', true, 0x0002_0000, true],
    ['DESC of the last slot', true, 0x0002_0001, true],
    ['DESC of the slot after', true, 0x0002_0002, false],
    ['DESC of a slot in the lap after', true, 0x0002_8000, false],
    ['DESC of a slot in the lap before', true, 0x0002_0007, false],
    ['DESC of a slot beyond the ring', true, 0x0002_7fff, false],
    ['DESC of a slot far beyond the ring', true, 0x0002_ffff, false],
    ['DISABLE with EVENT_IDX', true, 0x0001_8006, false],
  ])('interrupts as the driver wants: %s', (_what, eventIdx, event, expected) => {
    const queue = ring.queue((memory) => memory, { eventIdx });
    for (let index = 0; index < 6; index += 1) {
      ring.descriptor(slot(index), 0, 1, index, AVAIL);
      queue.pop(chain);
      queue.pushUsed(index, 0);
    }
    queue.shouldInterrupt();
    ring.descriptor(slot(6), 0, 1, 1, AVAIL);
    ring.descriptor(slot(7), 0, 1, 2, AVAIL | NEXT);
    ring.descriptor(slot(0), 0, 1, 2, USED);
    ring.descriptor(slot(1), 0, 1, 3, USED);
    for (const id of [1, 2, 3]) {
      expect(queue.pop(chain)).toBe(true);
      queue.pushUsed(id, 0);
    }
    ring.view.setUint32(DRIVER_EVENT, event, true);
    expect([queue.shouldInterrupt(), queue.shouldInterrupt()]).toEqual([expected, false]);
  });

  it('refuses a device that gives back what it does not have', () => {
    const queue = ring.queue();
    ring.descriptor(slot(0), 0, 1, 2, AVAIL);
    queue.pop(chain);
    queue.pushUsed(2, 0);
    for (const head of [2, 0, 8]) {
      expect(() => queue.pushUsed(head, 0)).toThrow(
        expect.objectContaining({ code: 'NOT_POPPED' }),
      );
    }
  });
});

describe('the driver', () => {
  let driver: PackedDriverQueue;
  const used = { token: -1, length: -1 };
  /** In its layout the event structures follow the ring: that of the driver, that of the device. */
  const [DRIVER, DEVICE] = [RING + 3 * 16, RING + 3 * 16 + 4];

  const create = (eventIdx = false) => {
    const { memory } = ring;
    const place = { size: 3, memory, address: RING, deviceAddress: 0x9_0000_0000 };
    driver = new PackedDriverQueue({
      ...place,
      eventIdx,
      notificationData: true,
      indirect: true,
    });
  };
  beforeEach(() => {
    ring.bytes.fill(0xee, RING, RING + 0x100);
    create();
  });

  it('clears its areas, and knows them by the addresses of the device', () => {
    expect(hex(RING, 56)).toBe(Array(56).fill('00').join(' '));
    expect(ring.bytes[RING + 56]).toBe(0xee);
    expect(driver.addresses).toEqual({
      size: 3,
      descriptorArea: 0x9_0000_0000,
      driverArea: 0x9_0000_0030,
      deviceArea: 0x9_0000_0034,
    });
    expect(packedQueueLayout(3).length).toBe(56);
  });

  it('makes lists available, and turns its wrap counter at the end of the ring', () => {
    expect(driver.next).toBe(0x8000);
    driver.add([{ address: 0x1_2345_6789, length: 5 }], [{ address: 0xb0, length: 6 }], 70);
    expect(hex(RING, 16)).toBe('89 67 45 23 01 00 00 00 05 00 00 00 00 00 81 00');
    expect(hex(slot(1), 16)).toBe('b0 00 00 00 00 00 00 00 06 00 00 00 00 00 82 00');
    expect([driver.next, driver.freeCount]).toEqual([0x8002, 1]);
    driver.add([], [{ address: 0xc0, length: 7 }], 71);
    expect(hex(slot(2) + 8, 8)).toBe('07 00 00 00 01 00 82 00');
    expect([driver.next, driver.freeCount]).toEqual([0, 0]);
    // The device uses the second buffer first, of 7 bytes; then the other, of which it wrote nothing.
    ring.descriptor(slot(0), 0, 7, 1, 0x8082);
    ring.descriptor(slot(1), 0, 9, 0, 0x8080);
    expect(driver.takeUsed(used)).toBe(true);
    expect([used, driver.freeCount]).toEqual([{ token: 71, length: 7 }, 1]);
    expect(driver.takeUsed(used)).toBe(true);
    expect([used, driver.freeCount]).toEqual([{ token: 70, length: 0 }, 3]);
    expect(driver.takeUsed(used)).toBe(false);
    driver.add([{ address: 0xd0, length: 8 }], [], 72);
    // Of the second lap: AVAIL is clear and USED set.
    expect(hex(slot(0) + 8, 8)).toBe('08 00 00 00 00 00 00 80');
    expect(driver.takeUsed(used)).toBe(false);
    ring.view.setUint16(slot(0) + 14, 0x0002, true);
    expect(driver.takeUsed(used)).toBe(true);
    expect(used).toEqual({ token: 72, length: 8 });
  });

  it('writes an indirect table, whose entries have no other flag than WRITE', () => {
    const table = { address: INDIRECT_TABLE, deviceAddress: 0x8_0000_0000 };
    driver.addIndirect(table, [{ address: 0xa0, length: 1 }], [{ address: 0xb0, length: 2 }], 5);
    expect(hex(RING, 16)).toBe('00 00 00 00 08 00 00 00 20 00 00 00 00 00 84 00');
    expect(hex(entry(0), 16)).toBe('a0 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00');
    expect(hex(entry(1), 16)).toBe('b0 00 00 00 00 00 00 00 02 00 00 00 00 00 02 00');
    expect(driver.freeCount).toBe(2);
  });

  it('says when it wants an interrupt', () => {
    driver.enableInterrupts(false);
    expect(hex(DRIVER, 4)).toBe('00 00 01 00');
    driver.enableInterrupts(true);
    expect(hex(DRIVER, 4)).toBe('00 00 00 00');
    create(true);
    driver.enableInterrupts(true);
    expect(hex(DRIVER, 4)).toBe('00 80 02 00');
    driver.enableInterrupts(false);
    expect(hex(DRIVER, 4)).toBe('00 00 01 00');
    expect(hex(DEVICE, 4)).toBe('00 00 00 00');
  });

  it('kicks when the device wants it', () => {
    create(true);
    const kicks = (event: number) => {
      ring.view.setUint32(DEVICE, event, true);
      driver.add([{ address: 0, length: 1 }], [], 0);
      return [driver.shouldNotify(), driver.shouldNotify()];
    };
    expect(kicks(0x0001_0000)).toEqual([false, false]);
    expect(kicks(0x0002_8001)).toEqual([true, false]);
    expect(kicks(0x0002_0000)).toEqual([false, false]);
  });

  it.each([
    ['it does not have', 1],
    ['beyond the queue', 3],
  ])('refuses a buffer that %s', (_what, id) => {
    driver.add([{ address: 0, length: 1 }], [], 0);
    ring.descriptor(slot(0), 0, 0, id, 0x8080);
    expect(() => driver.takeUsed(used)).toThrow(expect.objectContaining({ code: 'USED_ELEMENT' }));
  });
});

it('lists of any length, given back in any order: both ends agree, whatever the size', () => {
  const steps = fc.array(fc.record({ add: fc.nat(4), use: fc.nat(), take: fc.nat(3) }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.boolean(), steps, (size, eventIdx, all) => {
      const memory = new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(0x200) }]);
      const driver: DriverQueue = new PackedDriverQueue({ size, memory, address: 0, eventIdx });
      const queue = new PackedVirtqueue({
        index: 0,
        memory,
        ...driver.addresses,
        indirect: false,
        eventIdx,
        onBroken: (reason) => {
          throw new Error(reason);
        },
      });
      const own = createDescriptorChain(size);
      const out = { token: 0, length: 0 };
      const [withDevice, given, back]: [[number, number][], number[], [number, number][]] = [
        [],
        [],
        [],
      ];
      let [token, free] = [0, size];
      const lengths = new Map<number, number>();
      for (const { add, use, take } of all) {
        const list = Array.from({ length: add + 1 }, (_, index) => ({
          address: token,
          length: index,
        }));
        const fits = list.length <= free;
        expect(driver.add(list, [], token)).toBe(fits);
        if (fits) {
          free -= list.length;
          lengths.set(token, list.length);
          given.push(token);
          token += 1;
        }
        while (queue.pop(own)) {
          const expected = given.shift()!;
          expect([own.addresses[0], own.count]).toEqual([expected, lengths.get(expected)]);
          withDevice.push([own.head, expected]);
        }
        expect(given).toEqual([]);
        if (withDevice.length > 0) {
          const [[head, which]] = withDevice.splice(use % withDevice.length, 1) as [
            [number, number],
          ];
          queue.pushUsed(head, use);
          back.push([which, use]);
        }
        for (let count = 0; count < take && back.length > 0; count += 1) {
          const [which, length] = back.shift()!;
          expect(driver.takeUsed(out)).toBe(true);
          expect(out).toEqual({ token: which, length });
          free += lengths.get(which)!;
        }
        if (back.length === 0) expect(driver.takeUsed(out)).toBe(false);
        expect(driver.freeCount).toBe(free);
      }
    }),
  );
});
