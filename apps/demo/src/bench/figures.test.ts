/** Medians and the table. */
import { expect, it } from 'vitest';
import { figuresTable, median } from './figures.ts';

it('takes the middle, or the mean of the two in the middle', () => {
  expect(median([3])).toBe(3);
  expect(median([9, 1, 5])).toBe(5);
  expect(median([9, 1, 5, 7])).toBe(6);
});

it('lines figures up, with the ratio of the medians', () => {
  expect(
    figuresTable([
      { blockSize: 1048576, ours: [150.2, 160, 170], qemu: [320, 300, 310] },
      { blockSize: 4096, ours: [9.87], qemu: [12] },
    ]),
  ).toEqual([
    "O_DIRECT reads of  ours: median (all)      QEMU's own: median (all)  ours / QEMU",
    '1024 KiB           160 MB/s (150 160 170)  310 MB/s (320 300 310)    0.52',
    '4 KiB              9.9 MB/s (9.9)          12.0 MB/s (12.0)          0.82',
  ]);
});
