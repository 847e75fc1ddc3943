/** Copies between a chain's buffers and the device's own bytes, over any split into segments. */
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { DescriptorChain } from './virtqueue.ts';

/**
 * Copies from the device-readable part, from its byte `chainOffset` on.
 *
 * @returns the number of bytes copied, fewer than `length` at the end of the part; -1 when memory refused
 */
export function readChain(
  memory: GuestMemory,
  chain: DescriptorChain,
  chainOffset: number,
  target: Uint8Array,
  targetOffset: number,
  length: number,
): number {
  let skip = chainOffset;
  let done = 0;
  for (let index = 0; index < chain.readableCount && done < length; index += 1) {
    const segmentLength = chain.lengths[index]!;
    if (skip >= segmentLength) {
      skip -= segmentLength;
      continue;
    }
    const run = Math.min(segmentLength - skip, length - done);
    if (!memory.read(chain.addresses[index]! + skip, target, targetOffset + done, run)) return -1;
    done += run;
    skip = 0;
  }
  return done;
}

/**
 * Copies into the device-writable part, from its byte `chainOffset` on.
 *
 * @returns the number of bytes copied, fewer than `length` at the end of the part; -1 when memory refused
 */
export function writeChain(
  memory: GuestMemory,
  chain: DescriptorChain,
  chainOffset: number,
  source: Uint8Array,
  sourceOffset: number,
  length: number,
): number {
  let skip = chainOffset;
  let done = 0;
  for (let index = chain.readableCount; index < chain.count && done < length; index += 1) {
    const segmentLength = chain.lengths[index]!;
    if (skip >= segmentLength) {
      skip -= segmentLength;
      continue;
    }
    const run = Math.min(segmentLength - skip, length - done);
    if (!memory.write(chain.addresses[index]! + skip, source, sourceOffset + done, run)) return -1;
    done += run;
    skip = 0;
  }
  return done;
}
