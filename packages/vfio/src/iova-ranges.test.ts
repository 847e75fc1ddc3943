import { expect, it } from 'vitest';
import { withoutReserved } from './iova-ranges.ts';

const range = (start: number, end: number) => ({ start, end });

it.each([
  ['nothing', [], [range(10, 99)]],
  ['a part inside', [range(20, 29)], [range(10, 19), range(30, 99)]],
  ['both ends', [range(90, 200), range(0, 10)], [range(11, 89)]],
  [
    'parts that overlap and touch',
    [range(30, 40), range(20, 35), range(41, 49)],
    [range(10, 19), range(50, 99)],
  ],
  ['a part within another', [range(20, 60), range(30, 40)], [range(10, 19), range(61, 99)]],
  ['what lies outside', [range(0, 9), range(100, 200)], [range(10, 99)]],
  ['all', [range(0, 99)], []],
])('leaves out %s', (_, reserved, expected) => {
  expect(withoutReserved(10, 99, reserved)).toEqual(expected);
});
