/** In which order the frames behind a run of memory lie: scattered, but the same on every run. */

/** A permutation of the numbers from 0 to `frames` - 1. */
export interface FrameOrder {
  readonly frames: number;
  /** Which frame holds the index-th part of the memory. */
  frameOf(index: number): number;
  /** The inverse. */
  indexOf(frame: number): number;
}

/** Strides by about the golden ratio of the frames, which leaves no two neighbours together. */
export function scatteredOrder(frames: number): FrameOrder {
  let stride = Math.max(1, Math.round(frames * 0.618));
  while (greatestCommonDivisor(stride, frames) !== 1) stride += 1;
  const inverse = inverseOf(stride, frames);
  return {
    frames,
    frameOf: (index) => (index * stride) % frames,
    indexOf: (frame) => (frame * inverse) % frames,
  };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** The number whose product with `value` is 1 modulo `modulus`; extended Euclid. */
function inverseOf(value: number, modulus: number): number {
  let [remainder, next] = [modulus, value % modulus];
  let [coefficient, nextCoefficient] = [0, 1];
  while (next !== 0) {
    const quotient = Math.floor(remainder / next);
    [remainder, next] = [next, remainder - quotient * next];
    [coefficient, nextCoefficient] = [nextCoefficient, coefficient - quotient * nextCoefficient];
  }
  return ((coefficient % modulus) + modulus) % modulus;
}
