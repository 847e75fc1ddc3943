import { describe, expect, it } from 'vitest';
import { Random, STATE_WORDS } from './random.ts';

/** sfc32 as it was published, in exact arithmetic. */
function* reference(seed: bigint): Generator<number> {
  const mask = 0xffff_ffffn;
  let [a, b, c, counter] = [seed, 0x9e37_79b9n, ~seed & mask, 1n];
  for (;;) {
    const sum = (a + b + counter) & mask;
    counter = (counter + 1n) & mask;
    a = b ^ (b >> 9n);
    b = (c + (c << 3n)) & mask;
    c = ((((c << 21n) | (c >> 11n)) & mask) + sum) & mask;
    yield Number(sum);
  }
}

describe('Random', () => {
  it.each([0, 1, 0xffff_ffff])('is sfc32, warmed up, from seed %d on', (seed) => {
    const random = new Random(seed);
    const expected = reference(BigInt(seed));
    for (let round = 0; round < 12; round += 1) expected.next();
    for (let round = 0; round < 1000; round += 1) {
      expect(random.next()).toBe(expected.next().value);
    }
  });

  it('goes on from where it was noted', () => {
    const random = new Random(7);
    const states = new Uint32Array(3 * STATE_WORDS);
    random.next();
    random.save(states, STATE_WORDS);
    const first = [random.next(), random.next()];
    random.restore(states, STATE_WORDS);
    expect([random.next(), random.next()]).toEqual(first);
    expect(states[0]).toBe(0);
  });

  it('gives each number below a bound, and no other', () => {
    const random = new Random(1);
    const seen = new Set<number>();
    for (let round = 0; round < 1000; round += 1) seen.add(random.below(7));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});
