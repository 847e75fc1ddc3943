/** Where in a guest's report the values of the comparisons are. */
import { expect, it } from 'vitest';
import { GuestReportReader } from '../guest/guest-report-reader.ts';
import { COMPARISONS, PARTS, stepsOf } from './comparisons.ts';

const reader = new GuestReportReader();
for (const line of [
  ...['boot 1', 'init 3.5', 'up 5.25'],
  ...['bench vda 1048576 134217728 1000000', 'bench vda 65536 33554432 500000'],
  ...['bench vda 4096 8388608 1000000'],
  ...['downloaded 16777216 2000000', 'uploaded 4194304 1000000'],
]) {
  reader.read(`@viommu ${line}`);
}
const boot = reader.report.boots[0]!;

it('finds each in the report of a boot', () => {
  expect(reader.report.errors).toEqual([]);
  const valuesOf = (part: string) =>
    COMPARISONS.filter((one) => one.part === part).map((one) => one.value(boot));
  expect(valuesOf('disk')).toEqual([134.217728, 67.108864, 8.388608]);
  expect(valuesOf('strict')).toEqual(valuesOf('disk'));
  expect(valuesOf('network')).toEqual([8.388608, 4.194304]);
  expect(valuesOf('boot')).toEqual([3.5, 5.25]);
});

it('finds none of them in the report of a guest that did not get that far', () => {
  const empty = new GuestReportReader();
  empty.read('@viommu boot 1');
  for (const { value } of COMPARISONS) expect(value(empty.report.boots[0]!)).toBeUndefined();
});

it('asks a guest for the transfers with the server that it is given', () => {
  expect(PARTS.map((part) => stepsOf(part, 'http://x/').map(({ step }) => step))).toEqual([
    ['bench', 'bench', 'bench'],
    ['bench', 'bench', 'bench'],
    ['download', 'upload'],
    [],
  ]);
});
