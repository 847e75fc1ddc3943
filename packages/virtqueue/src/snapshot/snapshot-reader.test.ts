/** Plain data from anywhere is read as what it should be, or refused with the place where it is not. */
import { expect, it } from 'vitest';
import { fromHex, toHex } from './hex.ts';
import { SnapshotReader } from './snapshot-reader.ts';

const read = (value: unknown) => new SnapshotReader(value, 'part');

it('reads what is there', () => {
  const part = read({
    version: 2,
    on: true,
    list: [{ n: 5 }],
    numbers: [0, 7],
    bytes: '00ff',
    mask: '0x1f',
  });
  expect(part.version(3)).toBe(2);
  expect(part.field('on').boolean()).toBe(true);
  expect(part.field('list').items(1)[0]?.field('n').integer(5, 5)).toBe(5);
  expect(part.field('numbers').integers(2)).toEqual([0, 7]);
  expect([...part.field('bytes').bytes(2)]).toEqual([0, 255]);
  expect([...part.field('bytes').bytes(9, 1)]).toEqual([0, 255]);
  expect(part.field('mask').mask()).toBe(0x1fn);
  expect([read(null).isNull, part.isNull]).toEqual([true, false]);
});

it.each<[string, (part: SnapshotReader) => unknown, string]>([
  [
    'a version to come',
    (part) => part.version(1),
    'part is of version 2, and this release reads up to 1',
  ],
  ['a field that is missing', (part) => part.field('other'), 'part has no other'],
  ['a field of every object', (part) => part.field('toString'), 'part has no toString'],
  ['a field of a number', (part) => part.field('version').field('x'), 'part.version has no x'],
  [
    'a number out of range',
    (part) => part.field('version').integer(3, 9),
    'part.version is no whole number from 3 to 9',
  ],
  ['half a number', (part) => part.field('half').integer(0, 9), 'part.half is no whole number'],
  [
    'text for a number',
    (part) => part.field('bytes').integer(0, 9),
    'part.bytes is no whole number',
  ],
  ['a number for a truth', (part) => part.field('version').boolean(), 'part.version is neither'],
  ['a mask of decimal digits', (part) => part.field('bytes').mask(), 'part.bytes is no mask'],
  ['a mask of 132 bits', (part) => part.field('wide').mask(), 'part.wide is no mask'],
  ['fewer bytes', (part) => part.field('bytes').bytes(3), 'part.bytes is no text for 3 bytes'],
  [
    'too many bytes',
    (part) => part.field('bytes').bytes(1, 0),
    'part.bytes is no text for 1 bytes',
  ],
  ['odd digits', (part) => part.field('odd').bytes(1), 'part.odd is no text'],
  ['other digits', (part) => part.field('upper').bytes(1), 'part.upper is no text'],
  [
    'more items than there can be',
    (part) => part.field('list').items(0),
    'part.list is no list of at most 0',
  ],
  ['an object for a list', (part) => part.items(5), 'part is no list'],
  [
    'numbers below 0',
    (part) => part.field('negative').integers(5),
    'part.negative has something else',
  ],
  [
    'an item',
    (part) => part.field('list').items(1)[0]!.integer(0, 1),
    'part.list[0] is no whole number',
  ],
])('refuses %s', (_what, take, message) => {
  const part = read({
    ...{
      version: 2,
      half: 0.5,
      list: [{}],
      bytes: '00ff',
      odd: '0',
      upper: 'AB',
      negative: [1, -1],
    },
    wide: `0x${'1'.repeat(33)}`,
  });
  expect(() => take(part)).toThrow(
    expect.objectContaining({ code: 'SNAPSHOT', message: expect.stringContaining(message) }),
  );
});

it('writes bytes as text, and reads them back', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  expect(toHex(bytes).slice(0, 8)).toBe('00010203');
  expect(fromHex(toHex(bytes))).toEqual(bytes);
});
