/** SequenceTarget: thousands of operations in a row, of all kinds that EventTarget knows, of which an input says how they begin. */
import { Random } from '../../engine/random.ts';
import type { FuzzTarget } from '../../engine/target.ts';
import { EventTarget } from './event-target.ts';

/** Bytes that follow those of the input, of which an operation takes about ten: mostly few, since many take long. */
const [FEW, MANY] = [0x800, 0x8000];
const FULL = 0xfff0;

export class SequenceTarget implements FuzzTarget {
  readonly #operations = new EventTarget(Number.POSITIVE_INFINITY);

  /** The first four bytes are the seed of what follows the others, the next two say how much that is. */
  run(input: Uint8Array): number {
    const head = new Uint8Array(6);
    head.set(input.subarray(0, 6));
    const view = new DataView(head.buffer);
    const random = new Random(view.getUint32(0, true));
    const begun = input.subarray(6);
    const code = view.getUint16(4, true);
    const further = code >= FULL ? MANY : code % FEW;
    const bytes = new Uint8Array(begun.length + further);
    bytes.set(begun);
    for (let at = begun.length; at < bytes.length; at += 1) bytes[at] = random.next();
    return this.#operations.run(bytes);
  }
}
