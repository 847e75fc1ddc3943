/** Making the chains that are handed to `pop`. */
import type { DescriptorChain } from './virtqueue.ts';

/**
 * A chain that can hold `capacity` segments: the size of the queue, since no chain may be longer ("The Virtqueue
 * Descriptor Table", "Indirect Descriptors").
 */
export function createDescriptorChain(capacity: number): DescriptorChain {
  return {
    head: 0,
    count: 0,
    readableCount: 0,
    readableLength: 0,
    writableLength: 0,
    addresses: new Float64Array(capacity),
    lengths: new Uint32Array(capacity),
  };
}
