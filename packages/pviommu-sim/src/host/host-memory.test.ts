import { ArrayGuestMemory, createMemoryWindow } from '@viommu/virtqueue';
import { beforeEach, describe, expect, it } from 'vitest';
import { HostMemory } from './host-memory.ts';
import type { RegisterWindow } from './register-window.ts';

const READ = 1;
const PAGE = 0x1000;
const DENIED = -1;
const INVISIBLE = 0;

describe('HostMemory', () => {
  const guest = new Uint8Array(0x10000);
  let memory: ArrayGuestMemory;
  let host: HostMemory;
  const run = { physical: 0, length: 0 };
  const pin = (userAddress: number, length = 1): number => {
    expect(host.pin(userAddress, length, READ, run)).toBe(true);
    return run.physical;
  };

  beforeEach(() => {
    guest.forEach((_, index) => {
      guest[index] = index * 7 + (index >> 8);
    });
    memory = new ArrayGuestMemory([{ base: 0x10_0000, buffer: guest.buffer }]);
    host = new HostMemory({ frameSize: 2 * PAGE });
  });

  it('puts every frame elsewhere, and no two in a row', () => {
    const user = host.mapMemory(memory, 0x10_1000, 5 * PAGE);
    const other = host.mapMemory(memory, 0x10_8000, PAGE);
    const pages = [0, 1, 2, 3, 4].map((page) => pin(user + page * PAGE));
    pages.push(pin(other));
    expect(new Set(pages).size).toBe(6);
    expect(pages[1]).toBe(pages[0]! + PAGE);
    expect(pages[2]).not.toBe(pages[1]! + PAGE);
    expect(pages[4]).not.toBe(pages[3]! + PAGE);
    pin(user + 0x800, 0x10000);
    expect(run.length).toBe(2 * PAGE - 0x800);
    pin(user + 4 * PAGE, 0x10000);
    expect(run.length).toBe(PAGE);
  });

  it('reads and writes by host-physical address what the guest has', () => {
    const user = host.mapMemory(memory, 0x10_1000, 5 * PAGE);
    const target = new Uint8Array(16);
    for (const offset of [0, 0x1ff0, 0x2000, 0x4ff0]) {
      expect(host.read(pin(user + offset), target, 0, 16)).toBe(true);
      expect(target).toEqual(guest.slice(0x1000 + offset, 0x1000 + offset + 16));
    }
    expect(host.write(pin(user + 0x3000), Uint8Array.of(1, 2, 3), 1, 2)).toBe(true);
    expect(guest.subarray(0x4000, 0x4002)).toEqual(Uint8Array.of(2, 3));
    const window = createMemoryWindow();
    expect(host.window(pin(user + 0x2010), 0x10000, READ, window)).toBe(2 * PAGE - 0x10);
    expect(window.bytes[window.offset]).toBe(guest[0x3010]);
  });

  it('goes from frame to frame as the physical addresses do', () => {
    const user = host.mapMemory(memory, 0x10_0000, 10 * PAGE);
    const frames = [0, 2, 4, 6, 8].map((page) => pin(user + page * PAGE));
    const first = frames.findIndex((frame) => frames.includes(frame + 2 * PAGE));
    const second = frames.indexOf(frames[first]! + 2 * PAGE);
    expect(second).not.toBe(first + 1);
    const target = new Uint8Array(2);
    expect(host.read(frames[second]! - 1, target, 0, 2)).toBe(true);
    expect([...target]).toEqual([guest[(2 * first + 2) * PAGE - 1], guest[2 * second * PAGE]]);
  });

  it('has nothing between and beyond mappings', () => {
    const user = host.mapMemory(memory, 0x10_0000, 3 * PAGE);
    const window = createMemoryWindow();
    const bytes = new Uint8Array(4);
    // The last frame is half empty.
    const last = pin(user + 2 * PAGE);
    const nothing = [last + PAGE, last + 2 * PAGE, pin(user) - 1, 0, Number.MAX_SAFE_INTEGER];
    for (const address of nothing) {
      expect(host.read(address, bytes, 0, 4)).toBe(false);
      expect(host.write(address, bytes, 0, 4)).toBe(false);
      expect(host.window(address, 4, READ, window)).toBe(DENIED);
    }
    expect(host.read(pin(user + 3 * PAGE - 2), bytes, 0, 4)).toBe(false);
    for (const address of [user - 1, user + 3 * PAGE, 0]) {
      expect(host.pin(address, 1, READ, run)).toBe(false);
    }
  });

  it('shows by its generation that something is gone', () => {
    const user = host.mapMemory(memory, 0x10_0000, PAGE);
    const before = host.generation;
    memory.setRegions([{ base: 0x10_0000, buffer: guest.buffer }]);
    expect(host.generation).toBe(before + 1);
    const physical = pin(user);
    host.unmap(user);
    expect(host.generation).toBeGreaterThan(before + 1);
    expect(host.read(physical, new Uint8Array(1), 0, 1)).toBe(false);
    const afterwards = host.generation;
    expect(host.mapMemory(memory, 0x10_0000, PAGE)).not.toBe(user);
    expect(host.generation).toBeGreaterThan(afterwards);
  });

  it('reaches registers by accesses as wide as their alignment allows', () => {
    const accesses: (string | number)[][] = [];
    const registers: RegisterWindow = {
      read(offset, width) {
        accesses.push(['read', offset, width]);
        return 0x8070_6050 >>> 0;
      },
      write(offset, width, value) {
        accesses.push(['write', offset, width, value]);
      },
    };
    const physical = pin(host.mapRegisters(registers, PAGE));
    const bytes = new Uint8Array(8);
    expect(host.window(physical, 4, READ, createMemoryWindow())).toBe(INVISIBLE);
    expect(host.write(physical + 2, Uint8Array.of(1, 2, 3, 4, 5, 0xfe, 7), 0, 7)).toBe(true);
    expect(host.read(physical + 7, bytes, 1, 6)).toBe(true);
    expect(accesses).toEqual([
      ['write', 2, 2, 0x0201],
      ['write', 4, 4, 0xfe05_0403],
      ['write', 8, 1, 7],
      ['read', 7, 1],
      ['read', 8, 4],
      ['read', 12, 1],
    ]);
    expect([...bytes]).toEqual([0, 0x50, 0x50, 0x60, 0x70, 0x80, 0x50, 0]);
  });

  it.each([0, 0x800, 0x1800])('throws for a mapping of %i bytes', (length) => {
    expect(() => host.mapMemory(memory, 0x10_0000, length)).toThrow(
      expect.objectContaining({ code: 'HOST_MAPPING' }),
    );
  });

  it('throws for a start inside a page, for an unmap of nothing and for frames that are none', () => {
    expect(() => host.mapMemory(memory, 0x10_0800, PAGE)).toThrow(
      expect.objectContaining({ code: 'HOST_MAPPING' }),
    );
    expect(() => host.unmap(0x1234)).toThrow(expect.objectContaining({ code: 'HOST_MAPPING' }));
    for (const frameSize of [0, 2048, 0x3000]) {
      expect(() => new HostMemory({ frameSize })).toThrow(
        expect.objectContaining({ code: 'FRAME_SIZE' }),
      );
    }
  });
});
