import { describe, expect, it } from 'vitest';
import { elfMachine, isStatic, moduleInformation } from './elf.ts';
import { elfModule, elfProgram } from './fixtures.ts';

describe('moduleInformation', () => {
  it('reads the entries of .modinfo', () => {
    const module = elfModule({
      depends: 'virtio,virtio_ring',
      vermagic: '6.12.1 SMP',
      note: 'a=b',
    });
    expect([...moduleInformation(module)].filter(([name]) => name !== '')).toEqual([
      ['depends', 'virtio,virtio_ring'],
      ['vermagic', '6.12.1 SMP'],
      ['note', 'a=b'],
    ]);
  });

  it('refuses what is not ELF', () => {
    expect(() => moduleInformation(Buffer.alloc(100))).toThrow('not a 64-bit ELF file');
    expect(() => moduleInformation(elfModule({}).subarray(0, 100))).toThrow(RangeError);
  });
});

describe('isStatic', () => {
  it('looks for a loader among the program headers', () => {
    expect(isStatic(elfProgram([1, 1, 2]))).toBe(true);
    expect(isStatic(elfProgram([6, 3, 1]))).toBe(false);
  });
});

describe('elfMachine', () => {
  it('tells which processor a program is for', () => {
    expect(elfMachine(elfProgram([]))).toBe(62);
    expect(elfMachine(elfProgram([], 183))).toBe(183);
  });
});
