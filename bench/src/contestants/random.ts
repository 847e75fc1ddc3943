/** Pseudo-random numbers that are the same on every run: xorshift32. */

const SEED = 0x9e37_79b9;

/** @returns a function that gives the next number from 0 to `limit` - 1 */
export function createRandom(seed = SEED): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** The numbers from 0 to `count` - 1 in random order (Fisher and Yates). */
export function shuffled(count: number, random = createRandom()): Int32Array {
  const order = Int32Array.from({ length: count }, (_, index) => index);
  for (let index = count - 1; index > 0; index -= 1) {
    const other = random(index + 1);
    [order[index], order[other]] = [order[other]!, order[index]!];
  }
  return order;
}
