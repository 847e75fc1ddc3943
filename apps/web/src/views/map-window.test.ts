import { SortedMappings } from '@viommu/inspector';
import { describe, expect, it } from 'vitest';
import {
  bytesOfWindow,
  clustersOf,
  fitWindow,
  gridOf,
  scrollWindow,
  windowHolds,
  zoomWindow,
} from './map-window.ts';

const PAGE = 4096;

describe('fitWindow', () => {
  it.each([
    [0xffff_e000, 0xffff_ffff],
    [0, 2 ** 40],
    [0x7f29_b064_9000, 0x7f29_b074_8fff],
    [0, 2 ** 52 - 1],
  ])('shows all of %d to %d, in whole rows', (start, end) => {
    const window = fitWindow({ start, end }, 64, 20);
    expect(windowHolds(window, start, end)).toBe(true);
    expect(window.start % (window.cellBytes * 64)).toBe(0);
    expect(window.cellBytes).toBeGreaterThanOrEqual(PAGE);
  });
});

describe('zoomWindow', () => {
  it('keeps the address in sight, down to pages and up to all there is', () => {
    const address = 0xffff_0000;
    let window = fitWindow({ start: 0, end: 2 ** 40 }, 32, 10);
    for (let count = 0; count < 60; count += 1) {
      window = zoomWindow(window, address, 1 / 2);
      expect(windowHolds(window, address, address)).toBe(true);
    }
    expect(window.cellBytes).toBe(PAGE);
    for (let count = 0; count < 60; count += 1) window = zoomWindow(window, address, 2);
    expect(windowHolds(window, 0, 2 ** 52 - 1)).toBe(true);
  });
});

it('scrolls by rows, not below zero', () => {
  const window = fitWindow({ start: 0, end: PAGE }, 16, 4);
  expect(scrollWindow(window, 2).start).toBe(2 * 16 * PAGE);
  expect(scrollWindow(window, -5).start).toBe(0);
  expect(bytesOfWindow(window)).toBe(64 * PAGE);
});

it('has a power of two of columns that fit', () => {
  for (const width of [150, 400, 800, 1700]) {
    const { columns, side } = gridOf(width, 240);
    expect(Number.isInteger(Math.log2(columns))).toBe(true);
    expect(columns * side).toBeLessThanOrEqual(Math.max(width - 112, 36));
  }
});

it('finds groups of mappings, and reserved ranges, in their order', () => {
  const at = (virtStart: number) => ({
    virtStart,
    virtEnd: virtStart + PAGE - 1,
    physStart: 0,
    flags: 3,
  });
  const mappings = new SortedMappings([at(2 ** 32), at(0), at(2 * PAGE)]);
  const reserved = [{ start: 0xfee0_0000, end: 0xfeef_ffff, subtype: 1 }];
  expect(clustersOf({ mappings }, reserved)).toEqual([
    { kind: 'mappings', start: 0, end: 3 * PAGE - 1, mappings: 2 },
    { kind: 'reserved', start: 0xfee0_0000, end: 0xfeef_ffff, mappings: 0 },
    { kind: 'mappings', start: 2 ** 32, end: 2 ** 32 + PAGE - 1, mappings: 1 },
  ]);
});
