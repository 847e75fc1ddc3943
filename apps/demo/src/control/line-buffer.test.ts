import { expect, it } from 'vitest';
import { LineBuffer } from './line-buffer.ts';

function taken(pieces: readonly string[], maximum = 8): [(string | undefined)[], boolean] {
  const buffer = new LineBuffer(maximum);
  for (const piece of pieces) buffer.add(Buffer.from(piece));
  const lines = Array.from({ length: buffer.count }, () => buffer.take());
  expect(buffer.take()).toBeUndefined();
  return [lines, buffer.tooLong];
}

it.each([
  ['whole lines', ['one\ntwo\n'], ['one', 'two'], false],
  ['pieces of lines', ['o', 'ne\nt', 'wo', '\n'], ['one', 'two'], false],
  ['empty lines', ['\n\na\n'], ['', '', 'a'], false],
  ['a line that is not over', ['one\ntwo'], ['one'], false],
  ['the longest line', ['12345678\n'], ['12345678'], false],
  ['a line that is too long', ['one\n123456789\nthree\n'], ['one'], true],
  ['a line that becomes too long', ['12345', '6789', '\nthree\n'], [], true],
])('makes lines of %s', (_, pieces, lines, tooLong) => {
  expect(taken(pieces)).toEqual([lines, tooLong]);
});
