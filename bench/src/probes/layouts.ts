/** Layouts of mappings of 4 KiB, by name: where they are in the address space, and in which order they are made. */
import { BenchError } from '../bench-error.ts';
import { createRandom, shuffled } from '../contestants/random.ts';
import { PAGE } from '../contestants/residents.ts';

export interface Layout {
  /** Virtual addresses, in the order in which they are mapped. */
  readonly mapped: Float64Array;
  /** Those of them that are unmapped again. */
  readonly unmapped: Float64Array;
}

/** "Thinned": so many times as many mappings were there once. */
const THINNED_FROM = 4;
const INPUT_PAGES = 2 ** 36;

/**
 * - `dense`: page after page
 * - `stride-K`: single pages, 2^K bytes apart; `down-K` from the last to the first, `shuffled-K` in random order
 * - `pairs-K`: two neighbours every 2^K bytes; `straddle-K`: the same, one before and one behind the multiple of 2^K
 * - `thinned`: page after page, then three of four are unmapped
 * - `random`: single pages anywhere in 48 bits
 *
 * @throws BenchError
 */
export function createLayout(name: string, count: number): Layout {
  const [kind, bits = ''] = name.split('-');
  const stride = 2 ** Number(bits);
  const none = new Float64Array(0);
  const at = (addressOf: (index: number) => number): Layout => ({
    mapped: Float64Array.from({ length: count }, (_, index) => addressOf(index)),
    unmapped: none,
  });
  switch (kind) {
    case 'dense':
      return at((index) => index * PAGE);
    case 'stride':
      return at((index) => index * stride);
    case 'down':
      return at((index) => (count - 1 - index) * stride);
    case 'shuffled':
      return {
        mapped: Float64Array.from(shuffled(count), (index) => index * stride),
        unmapped: none,
      };
    case 'pairs':
      return at((index) => (index >> 1) * stride + (index & 1) * PAGE);
    case 'straddle':
      return at((index) => ((index >> 1) + 1) * stride - (index & 1 ? 0 : PAGE));
    case 'thinned': {
      const mapped = Float64Array.from(
        { length: THINNED_FROM * count },
        (_, index) => index * PAGE,
      );
      return { mapped, unmapped: mapped.filter((_, index) => index % THINNED_FROM !== 0) };
    }
    case 'random':
      return { mapped: randomPages(count), unmapped: none };
    default:
      throw new BenchError(`unknown layout ${name}`);
  }
}

function randomPages(count: number): Float64Array {
  const random = createRandom();
  const pages = new Set<number>();
  while (pages.size < count) pages.add((random(2 ** 18) * 2 ** 18 + random(2 ** 18)) % INPUT_PAGES);
  return Float64Array.from(pages, (page) => page * PAGE);
}

/** Layouts among which the row for sparse mappings takes the worst. */
export const SPARSE_LAYOUTS: readonly string[] = [
  ...Array.from({ length: 18 }, (_, index) => `stride-${13 + index}`),
  ...[14, 18, 21, 22, 26, 30, 31].map((bits) => `pairs-${bits}`),
  ...[15, 21, 22, 30].map((bits) => `straddle-${bits}`),
  'down-13',
  'shuffled-13',
  'thinned',
  'random',
];
export const QUICK_SPARSE_LAYOUTS: readonly string[] = ['stride-13', 'stride-30', 'random'];
