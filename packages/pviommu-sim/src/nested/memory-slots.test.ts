import { ArrayGuestMemory } from '@viommu/virtqueue';
import { describe, expect, it } from 'vitest';
import { HostMemory } from '../host/host-memory.ts';
import { MemorySlots } from './memory-slots.ts';
import { SlotMirror } from './slot-mirror.ts';

const READ = 1;
const slot = (guestStart: number, length = 0x1000, access?: number) => ({
  guestStart,
  length,
  userAddress: 0x7000_0000 + guestStart,
  ...(access === undefined ? {} : { access }),
});
const starts = (slots: MemorySlots): number[] => slots.slots.map(({ guestStart }) => guestStart);

describe('MemorySlots', () => {
  it('keeps slots in order, each address in one', () => {
    const slots = new MemorySlots();
    slots.add(slot(0x3000));
    slots.add(slot(0x1000));
    slots.add(slot(0x2000));
    expect(starts(slots)).toEqual([0x1000, 0x2000, 0x3000]);
    for (const wrong of [slot(0x1800), slot(0, 0x1001), slot(0, 0x10000), slot(0x8000, 0)]) {
      expect(() => slots.add(wrong)).toThrow(expect.objectContaining({ code: 'MEMORY_SLOT' }));
    }
    expect(() => slots.remove(0x1800)).toThrow(expect.objectContaining({ code: 'MEMORY_SLOT' }));
    slots.remove(0x2000);
    expect(starts(slots)).toEqual([0x1000, 0x3000]);
  });

  it('puts a slot back that cannot move', () => {
    const slots = new MemorySlots();
    slots.add(slot(0x1000));
    slots.add(slot(0x3000));
    expect(() => slots.move(0x1000, 0x3000)).toThrow(
      expect.objectContaining({ code: 'MEMORY_SLOT' }),
    );
    expect(starts(slots)).toEqual([0x1000, 0x3000]);
    slots.move(0x1000, 0x4000);
    expect(slots.slots[1]).toEqual({ ...slot(0x1000), guestStart: 0x4000 });
  });

  it.each([
    [0x1000, 0x1fff, 3, true],
    [0x1000, 0x2fff, READ, true],
    [0x1000, 0x2fff, 3, false],
    [0x2fff, 0x2fff, READ, true],
    [0x0fff, 0x1000, READ, false],
    [0x2000, 0x3000, READ, false],
    [0x2000, 0x4000, READ, false],
    [0x9000, 0x9fff, READ, false],
    [0x4000, 0x4fff, 3, true],
  ])('knows whether 0x%i to 0x%i has memory with access %i', (start, end, access, expected) => {
    const slots = new MemorySlots();
    slots.add(slot(0x1000));
    slots.add(slot(0x2000, 0x1000, READ));
    slots.add(slot(0x4000));
    expect(slots.covers(start, end, access)).toBe(expected);
  });
});

describe('SlotMirror', () => {
  const ram = (base: number, length: number) => ({ base, buffer: new ArrayBuffer(length) });

  it('follows the regions of memory, and leaves those alone that stay', () => {
    const host = new HostMemory();
    const slots = new MemorySlots();
    const mirror = new SlotMirror(slots, host);
    const changes: string[] = [];
    slots.listen({
      slotAdded: ({ guestStart }) => changes.push(`+${guestStart}`),
      slotRemoved: ({ guestStart }) => changes.push(`-${guestStart}`),
    });
    const stays = ram(0x8000, 0x2000);
    const memory = new ArrayGuestMemory([ram(0, 0x4000), stays, ram(0x20000, 0x1800)]);
    mirror.update(memory);
    expect(changes.splice(0)).toEqual(['+0', '+32768']);
    memory.setRegions([ram(0, 0x1000), stays, ram(0x2000, 0x2000)]);
    mirror.update(memory);
    expect(changes.splice(0)).toEqual(['-0', '+0', '+8192']);
    const { userAddress } = slots.slots[1]!;
    mirror.update(new ArrayGuestMemory([ram(0x2000, 0x2000)]));
    expect(changes.splice(0)).toEqual(['-32768', '-0', '-8192', '+8192']);
    expect(host.pin(userAddress, 1, READ, { physical: 0, length: 0 })).toBe(false);
    mirror.update(undefined);
    expect(slots.slots).toEqual([]);
  });
});
