import { expect, it } from 'vitest';
import { InputReader } from '../../engine/input-reader.ts';
import { mutateJson } from './json-mutations.ts';

const SAMPLE = '{"a":{"n":5,"text":"00ff","on":true},"list":[1,2,3],"none":null}';

function mutated(...bytes: number[]): unknown {
  const root = JSON.parse(SAMPLE);
  const input = new InputReader();
  input.begin(Uint8Array.from(bytes));
  mutateJson(root, input);
  return root;
}

// Places: a, a.n, a.text, a.on, list, list[0] to [2], none.
it.each<[string, number[], object]>([
  ['a number by one of the ends of types', [1, 0, 0, 4], { n: 255 }],
  ['a number by one nearby', [1, 0, 1, 33], { n: 6 }],
  ['a number by any', [1, 0, 2, 1, 2, 0, 0], { n: 0x201 }],
  ['a bit of a number', [1, 0, 3, 2], { n: 1 }],
  ['a digit of a text', [2, 0, 2, 1, 0, 0xc], { text: '0cff' }],
  ['the end of a text', [2, 0, 0, 3], { text: '00f' }],
  ['a text by a longer one', [2, 0, 1, 2], { text: '00ff00' }],
  ['a truth', [3, 0, 0], { on: false }],
  ['a value by what another place has', [1, 0, 0xe0, 1, 4, 0], { n: [1, 2, 3] }],
  ['a value by another kind', [1, 0, 0xe0, 2 + 4 * 5], { n: [] }],
])('changes %s', (_what, bytes, fields) => {
  const { a, ...others } = JSON.parse(SAMPLE);
  expect(mutated(...bytes)).toEqual({ a: { ...a, ...fields }, ...others });
});

it.each<[string, number[], number[]]>([
  ['shorter', [4, 0, 0, 1, 0], [1, 3]],
  ['longer by some again', [4, 0, 1, 0, 1], [1, 2, 1, 2, 3]],
  ['twice as long', [4, 0, 2, 0], [1, 2, 3, 1, 2, 3]],
  ['longer by a number', [4, 0, 3, 1, 4], [1, 255, 2, 3]],
])('makes a list %s', (_what, bytes, list) => {
  expect(mutated(...bytes)).toEqual({ ...JSON.parse(SAMPLE), list });
});

it('takes a field away, and gives nothing a value', () => {
  expect(mutated(0, 0, 0xe0, 0)).toEqual({ list: [1, 2, 3], none: null });
  expect(mutated(8, 0, 0, 2 + 4 * 7)).toMatchObject({ none: '0x1' });
});
