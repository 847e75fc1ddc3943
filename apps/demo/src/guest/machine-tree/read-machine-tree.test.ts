import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { interruptSpecifier, readMachineTree } from './read-machine-tree.ts';

/** As QEMU 11.1.3 wrote it. */
function recorded(name: string) {
  return readMachineTree(readFileSync(new URL(`fixtures/${name}.dtb`, import.meta.url)));
}

describe('readMachineTree', () => {
  it('finds the host bridge and where 32-bit memory of functions is', () => {
    expect(recorded('virt-gic-v3')).toMatchObject({
      hostBridge: '/pcie@10000000',
      memoryWindow: { start: 0x10000000, end: 0x3efeffff },
    });
  });

  it.each([
    ['virt-gic-v3', [{ start: 0x8090000, end: 0x809ffff }]],
    ['virt-gic-v2', [{ start: 0x8020000, end: 0x8020fff }]],
    ['virt-no-msi', []],
  ])('finds where functions of %s write messages', (name, doorbells) => {
    expect(recorded(name).msiDoorbells).toEqual(doorbells);
  });

  it('refuses what is no tree of such a machine', () => {
    expect(() => readMachineTree(Buffer.from('not a tree'))).toThrow('no flattened device tree');
  });
});

describe('interruptSpecifier', () => {
  // QEMU wires pin p of slot s to the shared peripheral interrupt 3 + (s + p - 1) % 4, level high.
  it.each([
    [0x20, 1, 3],
    [0x28, 1, 4],
    [0x30, 1, 5],
    [0x38, 1, 6],
    [0x31, 2, 6],
    [0x30, 3, 3],
    [0x50, 1, 5],
  ])('is that of function %d with pin %d', (bdf, pin, number) => {
    expect(interruptSpecifier(recorded('virt-gic-v3'), bdf, pin)).toEqual([0, number, 4]);
  });

  it('is the same with another interrupt controller', () => {
    expect(interruptSpecifier(recorded('virt-gic-v2'), 0x30)).toEqual([0, 5, 4]);
  });

  it('refuses a pin that is wired to nothing', () => {
    expect(() => interruptSpecifier(recorded('virt-gic-v3'), 0x30, 5)).toThrow('no interrupt');
  });
});
