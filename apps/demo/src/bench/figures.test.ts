/** Medians, rows and the table. */
import { expect, it } from 'vitest';
import { makeRow, median, rowsTable } from './figures.ts';

it('takes the middle, or the mean of the two in the middle', () => {
  expect(median([3])).toBe(3);
  expect(median([9, 1, 5])).toBe(5);
  expect(median([9, 1, 5, 7])).toBe(6);
});

it('compares medians, and says whether their ratio is enough', () => {
  const values = { ours: [80, 95, 90], theirs: [100, 90, 200] };
  expect(makeRow({ name: 'reads', unit: 'MB/s', target: 0.9 }, values)).toEqual({
    ...{ name: 'reads', ours: 90, theirs: 100, unit: 'MB/s', ratio: 0.9 },
    ...{ target: 0.9, met: true, runs: 3, values },
  });
  expect(makeRow({ name: 'reads', unit: 'MB/s', target: 0.91 }, values).met).toBe(false);
});

it('wants seconds to be few', () => {
  const values = { ours: [2.2], theirs: [2] };
  expect(makeRow({ name: 'boot', unit: 's', target: 1.1 }, values).met).toBe(true);
  expect(makeRow({ name: 'boot', unit: 's', target: 1.09 }, values).met).toBe(false);
});

it('asks nothing of a figure without a target', () => {
  const row = makeRow({ name: 'upload', unit: 'MB/s' }, { ours: [1], theirs: [9] });
  expect([row.target, row.met]).toEqual([null, null]);
});

it('lines figures up', () => {
  const rows = [
    makeRow(
      { name: 'reads of 1 MiB', unit: 'MB/s', target: 1 },
      { ours: [150.2, 160, 170], theirs: [320, 300, 310] },
    ),
    makeRow({ name: 'upload', unit: 'MB/s' }, { ours: [9.876], theirs: [12] }),
    makeRow({ name: 'boot', unit: 's', target: 1.1 }, { ours: [2], theirs: [2] }),
  ];
  expect(rowsTable(rows)).toEqual([
    "                ours: median (all)      QEMU's own: median (all)  ours / QEMU  target",
    'reads of 1 MiB  160 MB/s (150 160 170)  310 MB/s (320 300 310)    0.52         at least 1: missed',
    'upload          9.88 MB/s (9.88)        12.0 MB/s (12.0)          0.82         -',
    'boot            2.00 s (2.00)           2.00 s (2.00)             1.00         at most 1.1: met',
  ]);
});
