/** The moments at which a fault run kills: as random as they look, and the same again from the same seed. */

/** The highest seed. */
export const LARGEST_SEED = 0xffff_ffff;

/**
 * @param seed a whole number from 0 to {@link LARGEST_SEED}
 * @returns what gives the next number from 0, inclusive, to 1, exclusive: splitmix32
 */
export function seededMoments(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e37_79b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0_aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a_2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 2 ** 32;
  };
}
