import { describe, expect, it } from 'vitest';
import { Random } from '../engine/random.ts';
import { readSeeds } from '../input-files.ts';
import { TARGETS } from './targets.ts';

describe.each(Object.entries(TARGETS))('%s', (name, { create }) => {
  it('has seeds, for all of which everything holds, with many outcomes', () => {
    const target = create();
    const outcomes = readSeeds(name).map((seed) => target.run(seed));
    expect(new Set(outcomes).size).toBeGreaterThanOrEqual(5);
    for (const outcome of outcomes) {
      expect(Number.isInteger(outcome) && outcome >= 0 && outcome < 65536).toBe(true);
    }
  });

  it('takes every byte string, and keeps nothing from one to the next', () => {
    const random = new Random(5);
    const target = create();
    const inputs = Array.from({ length: 200 }, () =>
      Uint8Array.from({ length: random.below(120) }, () => random.next()),
    );
    const outcomes = inputs.map((input) => target.run(input));
    expect(inputs.toReversed().map((input) => target.run(input))).toEqual(outcomes.toReversed());
    expect(create().run(inputs[9]!)).toBe(outcomes[9]);
  });
});
