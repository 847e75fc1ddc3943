import { describe, expect, it } from 'vitest';
import { InputReader } from '../../engine/input-reader.ts';
import { checkWidth, readValue, readWidth } from './register-input.ts';

function inputOf(...bytes: number[]): InputReader {
  const input = new InputReader();
  input.begin(Uint8Array.from(bytes));
  return input;
}

it('values are within their width', () => {
  expect(readValue(inputOf(0x5f), 1)).toBe(0x5f);
  for (const width of [1, 2, 4] as const) {
    for (let code = 0; code < 256; code += 1) {
      checkWidth(readValue(inputOf(code, 0xff, 0xff, 0xff, 0xff), width), width, 'here');
    }
  }
  expect(readValue(inputOf(0xff, 1, 2, 3, 4), 4)).toBe(0x0403_0201);
});

it('accesses are mostly as wide as their register', () => {
  expect([0, 1, 2].map((code) => readWidth(code, 2))).toEqual([2, 2, 2]);
  expect([3, 7, 11].map((code) => readWidth(code, 2))).toEqual([1, 2, 4]);
});

describe('checkWidth finds what no register of that width can have:', () => {
  it.each([-1, 0x100, 0.5, Number.NaN])('%d', (value) => {
    expect(() => checkWidth(value, 1, 'here')).toThrow(/at here/);
  });
});
