import { describe, expect, it } from 'vitest';
import { INPUT_MAX, InputBuffer } from './input-buffer.ts';
import { MUTATORS, mutate } from './mutators.ts';
import { Random } from './random.ts';

const other = Uint8Array.from({ length: 40 }, (_, index) => 0x80 + index);

describe.each(MUTATORS.map((mutator) => [mutator.name, mutator] as const))('%s', (_, mutator) => {
  it.each([1, 2, 40, INPUT_MAX])('changes an input of %d bytes, within its limits', (length) => {
    const random = new Random(length);
    const input = new InputBuffer();
    const before = new Uint8Array(length).fill(0x11);
    let changes = 0;
    for (let round = 0; round < 300; round += 1) {
      input.content = before;
      mutator(input, random, other);
      expect(input.length).toBeGreaterThanOrEqual(0);
      expect(input.length).toBeLessThanOrEqual(INPUT_MAX);
      if (Buffer.compare(input.content, before) !== 0) changes += 1;
    }
    // There is no room.
    const grows = mutator.name === 'insert' || mutator.name === 'duplicate';
    const isUnseen = grows && length === INPUT_MAX;
    expect(changes > 0).toBe(!isUnseen);
  });
});

it('a mutation can be made again from the same state', () => {
  const [first, second] = [new InputBuffer(), new InputBuffer()];
  for (const input of [first, second]) {
    const random = new Random(9);
    input.content = other;
    for (let round = 0; round < 50; round += 1) mutate(input, random, other);
  }
  expect(first.content).toEqual(second.content);
  expect(first.content).not.toEqual(other);
});

it('an input can grow from nothing', () => {
  const input = new InputBuffer();
  mutate(input, new Random(3), other);
  expect(input.length).toBeGreaterThan(0);
});
