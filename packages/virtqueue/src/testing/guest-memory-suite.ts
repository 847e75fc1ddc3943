/** guestMemorySuite: what every GuestMemory must do; each implementation runs it in its own tests. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryWindow } from '../memory/array-guest-memory.ts';
import type { GuestMemory, MemoryWindow } from '../memory/guest-memory.ts';

const READ = 1;
const WRITE = 2;
const DENIED = -1;
const INVISIBLE = 0;

/**
 * A memory with the pages 0x1000, 0x2000 and 0x3000 to read and to write, the page 0x5000 to read, and no other. Each
 * byte is the low byte of its page's number plus its offset: 0x1004 holds 0x05, 0x5000 holds 0x05. See {@link testByte}.
 */
export interface GuestMemorySubject {
  readonly memory: GuestMemory;
  /** Takes the page 0x2000 away. */
  readonly removeMiddlePage: () => void;
  /** To be called after each test. */
  readonly close?: () => void;
}

/** What the byte at an address of a subject holds. */
export function testByte(address: number): number {
  return (Math.floor(address / 0x1000) + (address % 0x1000)) & 0xff;
}

/** The bytes of one page of a subject. */
export function testPage(page: number): Uint8Array {
  return Uint8Array.from({ length: 0x1000 }, (_, offset) => testByte(page + offset));
}

/** The word at the window's offset; by the view where there is none in `words`. */
function wordAt({ words, view, offset }: MemoryWindow): number {
  return (offset % 4 === 0 ? words[offset / 4] : undefined) ?? view.getInt32(offset, true);
}

export function guestMemorySuite(name: string, factory: () => GuestMemorySubject): void {
  describe(`GuestMemory: ${name}`, () => {
    let subject: GuestMemorySubject;
    let memory: GuestMemory;
    let window: MemoryWindow;

    beforeEach(() => {
      subject = factory();
      memory = subject.memory;
      window = createMemoryWindow();
      return subject.close;
    });

    const read = (address: number, length: number): Uint8Array | undefined => {
      const target = new Uint8Array(length);
      return memory.read(address, target, 0, length) ? target : undefined;
    };
    const expected = (address: number, length: number) =>
      Uint8Array.from({ length }, (_, index) => testByte(address + index));

    it.each([
      [0x1000, 1],
      [0x1fff, 1],
      [0x1ffe, 4],
      [0x1234, 100],
      [0x1000, 0x3000],
      [0x3fff, 1],
      [0x5000, 0x1000],
    ])('reads %d, %d bytes', (address, length) => {
      expect(read(address, length)).toEqual(expected(address, length));
    });

    it.each([
      [0, 1],
      [0xfff, 1],
      [0xfff, 2],
      [0x3fff, 2],
      [0x1000, 0x3001],
      [0x4000, 1],
      [0x4fff, 2],
      [0x5fff, 2],
      [2 ** 32 + 0x1000, 1],
      [2 ** 40, 8],
      [Number.MAX_SAFE_INTEGER, 1],
      [Number.MAX_SAFE_INTEGER - 3, 8],
    ])('refuses %d, %d bytes', (address, length) => {
      expect(read(address, length)).toBeUndefined();
      expect(memory.write(address, new Uint8Array(length), 0, length)).toBe(false);
      if (length === 1) expect(memory.window(address, 1, READ, window)).toBe(DENIED);
    });

    it.each([
      [0x1000, 1],
      [0x3fff, 1],
      [0x1ffd, 7],
      [0x2100, 0x1000],
      [0x1000, 0x3000],
    ])('writes %d, %d bytes, and no other', (address, length) => {
      const source = Uint8Array.from({ length }, (_, index) => 0xff - (index & 0x7f));
      expect(memory.write(address, source, 0, length)).toBe(true);
      const whole = expected(0x1000, 0x3000);
      whole.set(source, address - 0x1000);
      expect(read(0x1000, 0x3000)).toEqual(whole);
    });

    it('touches its part of the array only', () => {
      const target = new Uint8Array(12).fill(0xee);
      expect(memory.read(0x1ffe, target, 4, 4)).toBe(true);
      expect(target.subarray(4, 8)).toEqual(expected(0x1ffe, 4));
      expect([...target.subarray(0, 4), ...target.subarray(8)]).toEqual(new Array(8).fill(0xee));
      expect(memory.write(0x1ffe, Uint8Array.of(1, 2, 3, 4, 5, 6), 2, 3)).toBe(true);
      expect([...(read(0x1ffd, 5) ?? [])]).toEqual([testByte(0x1ffd), 3, 4, 5, testByte(0x2001)]);
    });

    it('protects what is to be read only', () => {
      expect(memory.write(0x5000, Uint8Array.of(0), 0, 1)).toBe(false);
      expect(memory.window(0x5000, 4, WRITE, window)).toBe(DENIED);
      expect(memory.window(0x5000, 4, READ | WRITE, window)).toBe(DENIED);
      expect(read(0x5000, 0x1000)).toEqual(expected(0x5000, 0x1000));
    });

    it.each([
      ['to read', READ],
      ['to write', WRITE],
      ['to read and to write', READ | WRITE],
    ])('shows %s what `read` reads, in runs of any length', (_what, access) => {
      for (let address = 0x1000; address < 0x4000; ) {
        const wanted = Math.min(0x900, 0x4000 - address);
        const run = memory.window(address, wanted, access, window);
        if (run === INVISIBLE) return;
        expect(run).toBeGreaterThan(0);
        expect(run).toBeLessThanOrEqual(wanted);
        expect(window.length).toBe(run);
        const bytes = window.bytes.slice(window.offset, window.offset + run);
        expect(bytes).toEqual(expected(address, run));
        expect(window.view.getUint8(window.offset)).toBe(testByte(address));
        expect(wordAt(window)).toBe(window.view.getInt32(window.offset, true));
        address += run;
      }
    });

    it('shows a window that is the memory itself', () => {
      const run = memory.window(0x2010, 1, READ | WRITE, window);
      if (run === INVISIBLE) return;
      window.bytes[window.offset] = 0xab;
      expect(read(0x2010, 1)).toEqual(Uint8Array.of(0xab));
      memory.write(0x2010, Uint8Array.of(0xcd), 0, 1);
      expect(window.view.getUint8(window.offset)).toBe(0xcd);
    });

    it('leaves the window alone when it refuses', () => {
      window.offset = 77;
      expect(memory.window(0x4000, 8, READ, window)).toBe(DENIED);
      expect([window.offset, window.length]).toEqual([77, 0]);
    });

    it('copies any few bytes, whichever array they go to and however often', () => {
      for (let round = 0; round < 100; round += 1) {
        const [from, to, length] = [round % 9, (round * 5) % 7, (round * 3) % 17 || 16];
        const source = Uint8Array.from({ length: 32 }, (_, index) => round ^ index);
        expect(memory.write(0x1ff8 + from, source, to, length)).toBe(true);
        const target = new Uint8Array(32);
        for (let again = 0; again < 1 + (round % 20); again += 1) {
          target.fill(0);
          expect(memory.read(0x1ff8 + from, target, to, length)).toBe(true);
          memory.write(0x1ff8 + from, target, to, length);
        }
        const expectedBytes = new Uint8Array(32);
        expectedBytes.set(source.subarray(to, to + length), to);
        expect(target).toEqual(expectedBytes);
      }
      expect([read(0x1ff0, 8), read(0x2018, 8)]).toEqual([
        expected(0x1ff0, 8),
        expected(0x2018, 8),
      ]);
    });

    it('says whether others access it, and stays with that', () => {
      const { isShared } = memory;
      expect(isShared).toBeTypeOf('boolean');
      memory.write(0x1000, Uint8Array.of(1), 0, 1);
      expect(memory.isShared).toBe(isShared);
    });

    it('moves on to a new generation when a page is gone', () => {
      const { generation } = memory;
      read(0x1000, 0x3000);
      memory.window(0x2000, 8, READ, window);
      expect(memory.generation).toBe(generation);
      subject.removeMiddlePage();
      expect(memory.generation).toBeGreaterThan(generation);
      expect(memory.window(0x2000, 8, READ, window)).toBe(DENIED);
      expect(read(0x2000, 1)).toBeUndefined();
      expect(read(0x1fff, 2)).toBeUndefined();
      expect(memory.write(0x1fff, new Uint8Array(2), 0, 2)).toBe(false);
      expect(read(0x3000, 0x1000)).toEqual(expected(0x3000, 0x1000));
    });
  });
}
