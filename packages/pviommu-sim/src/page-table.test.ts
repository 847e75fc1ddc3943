import { beforeEach, describe, expect, it } from 'vitest';
import { MappingPool } from './mapping-pool.ts';
import { NodePool } from './node-pool.ts';
import { levelSpans, NOT_MAPPED, PageTable } from './page-table.ts';

describe('PageTable', () => {
  let nodes: NodePool;
  let mappings: MappingPool;
  let table: PageTable;
  const map = (start: number, end: number) => {
    const mapping = mappings.add(start, end, 0, 1);
    table.insert(mapping);
    return mapping;
  };

  beforeEach(() => {
    nodes = new NodePool(1000);
    mappings = new MappingPool();
    table = new PageTable(nodes, mappings, levelSpans(48, 12));
  });

  it('has four levels for 48 bits of 4 KiB and six for 48 bits of one byte', () => {
    expect(levelSpans(48, 12)).toEqual([2 ** 12, 2 ** 21, 2 ** 30, 2 ** 39]);
    expect(levelSpans(48, 0)).toHaveLength(6);
    expect(levelSpans(20, 12)).toEqual([2 ** 12]);
  });

  it('takes one leaf for an aligned range of any size, and no node below it', () => {
    map(0, 2 ** 48 - 1);
    expect(nodes.inUse).toBe(1);
    table.remove(0, 2 ** 48 - 1);
    map(2 ** 39, 2 ** 40 - 1);
    expect(nodes.inUse).toBe(1);
    map(2 ** 41, 2 ** 41 + 2 ** 30 - 1);
    expect(nodes.inUse).toBe(2);
    map(2 ** 41 + 2 ** 30, 2 ** 41 + 2 ** 30 + 2 ** 21 - 1);
    expect(nodes.inUse).toBe(3);
  });

  it('takes nodes at its two edges only for a range that is not aligned', () => {
    map(0x1000, 2 ** 48 - 0x1001);
    expect(nodes.inUse).toBe(1 + table.nodesPerMapping);
  });

  it('gives back nodes and mappings when they are removed', () => {
    const first = map(0x1000, 0x1fff);
    map(0x2000, 0x40_2fff);
    expect(mappings.size).toBe(2);
    table.remove(0x2000, 0xff_ffff);
    expect(mappings.size).toBe(1);
    expect(nodes.inUse).toBe(4);
    expect(table.lookup(0x1fff)).toBe(first);
    expect(table.lookup(0x2000)).toBe(NOT_MAPPED);
    table.remove(0, 2 ** 48 - 1);
    expect(mappings.size).toBe(0);
    expect(nodes.inUse).toBe(1);
  });

  it('gives back everything when it is destroyed', () => {
    const fine = new PageTable(nodes, mappings, levelSpans(48, 0));
    for (const start of [0, 2 ** 20, 2 ** 30, 2 ** 45, 2 ** 48 - 8]) {
      fine.insert(mappings.add(start, start + 7, 0, 1));
    }
    expect(nodes.inUse).toBeGreaterThan(10);
    fine.destroy(2 ** 48 - 1);
    table.destroy(2 ** 48 - 1);
    expect(nodes.inUse).toBe(0);
    expect(mappings.size).toBe(0);
  });

  it('finds each of many scattered pages', () => {
    const place = (index: number) => ((index * 7919) % 100_003) * 0x1000;
    const made = Array.from({ length: 5000 }, (_, i) => map(place(i), place(i) + 0xfff));
    made.forEach((mapping, index) => {
      expect(table.lookup(place(index) + 0x123)).toBe(mapping);
    });
  });
});
