/** drainQueue: the one loop with which every device works through a queue. */
import type { InterruptSink } from '../device/virtio-device.ts';
import {
  CHAIN_KEPT,
  type ChainHandler,
  type DescriptorChain,
  type Virtqueue,
} from './virtqueue.ts';

/**
 * Pops chains, has each handled, pushes it used, and decides once at the end whether to interrupt.
 *
 * @param chain reused for each buffer; it holds as many segments as the queue has descriptors
 * @param budget buffers after which to stop; the size of the queue by default
 * @returns true when buffers are left: the guest makes them as fast as we use them, and others want their turn
 */
export function drainQueue(
  queue: Virtqueue,
  chain: DescriptorChain,
  handler: ChainHandler,
  interrupts: InterruptSink,
  budget: number = queue.size,
): boolean {
  let left = budget;
  let more: boolean;
  queue.disableNotifications();
  do {
    while (left > 0 && queue.pop(chain)) {
      const length = handler.handleChain(chain);
      if (length !== CHAIN_KEPT) queue.pushUsed(chain.head, length);
      left -= 1;
    }
    more = queue.enableNotifications();
  } while (more && left > 0);
  if (queue.shouldInterrupt()) interrupts.usedBuffer(queue.index);
  return more;
}
