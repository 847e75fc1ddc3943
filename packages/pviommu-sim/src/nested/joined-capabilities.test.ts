import { expect, it } from 'vitest';
import { joinCapabilities } from './joined-capabilities.ts';

it.each([
  ['equal', 0x1000n, 48, 0x1000n, 48, 0x1000n, 48],
  ['a finer stage 1', 0x1n, 48, 0x1000n, 48, 0x1000n, 48],
  ['a finer stage 1 that has coarse pages, too', 0x20_0001n, 48, 0x1000n, 48, 0x20_1000n, 48],
  ['a coarser stage 1', 0x4001_0000n, 48, 0x1000n, 48, 0x4001_0000n, 48],
  ['a host that reaches less far', 0x1000n, 48, 0x1000n, 39, 0x1000n, 39],
  ['a guest that reaches less far', 0x1000n, 32, 0x1000n, 48, 0x1000n, 32],
])('has what both stages can do: %s', (_, mask1, bits1, mask2, bits2, mask, bits) => {
  expect(
    joinCapabilities(
      { pageSizeMask: mask1, inputEnd: 2 ** bits1 - 1, mmio: true },
      { pageSizeMask: mask2, inputEnd: 2 ** bits2 - 1, mmio: true },
    ),
  ).toEqual({ pageSizeMask: mask, inputEnd: 2 ** bits - 1, mmio: true });
});
