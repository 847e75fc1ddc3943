import { describe, expect, it } from 'vitest';
import { checkReservedRegions } from './reserved-region.ts';

const RESERVED = 0;
const MSI = 1;

describe('reserved regions of an endpoint', () => {
  const check = (...regions: [subtype: number, start: number, end: number][]) =>
    checkReservedRegions(
      8,
      regions.map(([subtype, start, end]) => ({ subtype, start, end })),
    );
  const refused = expect.objectContaining({ code: 'RESERVED_REGION' });

  it('may be of both kinds, side by side', () => {
    expect(() => check([MSI, 0x1000, 0x1fff], [RESERVED, 0x2000, 0x2fff])).not.toThrow();
    expect(() => check([RESERVED, 0x2000, 0x2fff], [RESERVED, 0x1000, 0x1fff])).not.toThrow();
  });

  it('are refused with more than one MSI region', () => {
    expect(() => check([MSI, 0, 0xfff], [MSI, 0x1000, 0x1fff])).toThrow(refused);
  });

  it('are refused when they overlap, whatever their kinds and order', () => {
    expect(() => check([RESERVED, 0x1000, 0x2fff], [RESERVED, 0, 0x1000])).toThrow(refused);
    expect(() => check([MSI, 0, 0xffff], [RESERVED, 0x1000, 0x1fff])).toThrow(refused);
    expect(() => check([RESERVED, 0, 0xfff], [RESERVED, 0, 0xfff])).toThrow(refused);
  });
});
