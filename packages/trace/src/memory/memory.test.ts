/** What is kept to know whether bytes are the same: sparse bytes, checksums, patterns. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sameBytes, textBytes } from '../fixtures/bytes.ts';
import { TraceError } from '../trace-error.ts';
import { crc32 } from './crc32.ts';
import { knownDisk } from './disk-content.ts';
import { fillPattern } from './pattern.ts';
import { SparseBytes } from './sparse-bytes.ts';

describe('crc32', () => {
  it('is that of IEEE 802.3', () => {
    expect(crc32(textBytes('123456789'))).toBe(0xcbf4_3926);
    expect(crc32(new Uint8Array(0))).toBe(0);
  });

  it('goes on from what was before', () => {
    const bytes = textBytes('123456789');
    const first = crc32(bytes, 0, 4);
    expect(crc32(bytes, 4, 5, first)).toBe(0xcbf4_3926);
  });
});

describe('SparseBytes', () => {
  const LENGTH = 20_000;

  it('is as an array of bytes, wherever pages end', () => {
    const write = fc.record({ at: fc.nat(LENGTH - 1), bytes: fc.uint8Array({ maxLength: 9000 }) });
    fc.assert(
      fc.property(
        fc.array(write, { maxLength: 12 }),
        fc.nat(LENGTH),
        fc.nat(9000),
        (writes, from, length) => {
          const model = new Uint8Array(LENGTH + 9000);
          const sparse = new SparseBytes();
          for (const { at, bytes } of writes) {
            model.set(bytes, at);
            sparse.write(at, bytes, 0, bytes.length);
          }
          const read = new Uint8Array(length + 3);
          sparse.read(from, read, 3, length);
          expect(sameBytes(read.subarray(3), model.subarray(from, from + length))).toBe(true);
          expect(sparse.has(from, model, from, length)).toBe(true);
          if (length === 0) return;
          const other = model.slice(from, from + length);
          other[length >> 1]! ^= 1;
          expect(sparse.has(from, other, 0, length)).toBe(false);
        },
      ),
    );
  });

  it('keeps no more than its limit, and nothing of what is only read', () => {
    const sparse = new SparseBytes({ limit: 2 * 4096 });
    const page = new Uint8Array(4096);
    for (let at = 0; at < 100; at += 1) sparse.read(at * 4096, page, 0, 4096);
    sparse.write(0, page, 0, 4096);
    sparse.write(4096, page, 0, 4096);
    sparse.write(0, page, 0, 8);
    expect(() => sparse.write(8192, page, 0, 1)).toThrow(TraceError);
  });
});

describe('fillPattern', () => {
  it('has the same bytes at a position, however they are asked for', () => {
    const whole = new Uint8Array(8192);
    fillPattern(5, 4096, whole);
    const part = new Uint8Array(512);
    fillPattern(5, 4096 + 1024, part);
    expect(part).toEqual(whole.subarray(1024, 1536));
  });

  it('looks random: another seed, position or half of the address space is something else', () => {
    const sample = (seed: number, position: number) => {
      const bytes = new Uint8Array(4096);
      fillPattern(seed, position, bytes);
      return bytes;
    };
    const samples = [sample(1, 0), sample(2, 0), sample(1, 4096), sample(1, 2 ** 34)];
    for (const [index, one] of samples.entries()) {
      expect(new Set(one).size).toBe(256);
      for (const other of samples.slice(index + 1)) {
        const same = one.filter((byte, at) => byte === other[at]).length;
        expect(same).toBeLessThan(64);
      }
    }
  });

  it('is what a disk holds until something is written there', () => {
    const disk = knownDisk({ kind: 'pattern', seed: 9 });
    const sector = new Uint8Array(512);
    fillPattern(9, 1 << 20, sector);
    expect(disk.has(1 << 20, sector, 0, 512)).toBe(true);
    disk.write((1 << 20) + 512, new Uint8Array(512), 0, 512);
    expect(disk.has(1 << 20, sector, 0, 512)).toBe(true);
    expect(disk.has((1 << 20) + 512, new Uint8Array(512), 0, 512)).toBe(true);
  });
});
