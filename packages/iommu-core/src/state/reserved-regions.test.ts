/** A region stays reserved until the last endpoint that has it has left. */
import { expect, it } from 'vitest';
import { ReservedRegions } from './reserved-regions.ts';

const MSI = { subtype: 1, start: 0xfee0_0000, end: 0xfeef_ffff };
const OTHER = { subtype: 0, start: 0x1000, end: 0x1fff };

it('counts the endpoints that have a region', () => {
  const regions = new ReservedRegions();
  const touchesMsi = () => regions.overlaps({ virtStart: 0xfeef_ffff, virtEnd: 0xfeef_ffff });
  const touchesOther = () => regions.overlaps({ virtStart: 0, virtEnd: 0x1000 });
  expect(touchesMsi()).toBe(false);
  regions.add([MSI]);
  regions.add([OTHER, MSI]);
  expect([touchesMsi(), touchesOther()]).toEqual([true, true]);
  regions.remove([MSI]);
  expect([touchesMsi(), touchesOther()]).toEqual([true, true]);
  regions.remove([OTHER, MSI]);
  expect([touchesMsi(), touchesOther()]).toEqual([false, false]);
});

it('tells apart what only touches', () => {
  const regions = new ReservedRegions();
  regions.add([OTHER]);
  expect(regions.overlaps({ virtStart: 0x2000, virtEnd: 0x2fff })).toBe(false);
  expect(regions.overlaps({ virtStart: 0, virtEnd: 0xfff })).toBe(false);
  expect(regions.overlaps({ virtStart: 0, virtEnd: 2 ** 52 - 1 })).toBe(true);
});
