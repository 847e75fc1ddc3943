/** drainQueue: the one loop with which every device works through a queue. */
import type { InterruptSink } from '../device/virtio-device.ts';
import type { QueuePoll } from './queue-poll.ts';
import {
  CHAIN_KEPT,
  type ChainHandler,
  type DescriptorChain,
  type Virtqueue,
} from './virtqueue.ts';

export interface DrainOptions {
  /** Buffers after which to stop; the size of the queue by default. */
  readonly budget?: number;
  /**
   * Of this queue alone: decides whether it is polled when it has run empty. Not polled by default. It saves a driver that
   * comes again soon its kick and the device the wake-up, and keeps the device's thread from sleeping; worth it only where the
   * driver runs meanwhile, on another core.
   */
  readonly poll?: Pick<QueuePoll, 'goesOn'>;
}

const DEFAULTS: DrainOptions = {};

/**
 * Pops chains, has each handled, pushes it used, and decides whether to interrupt once the queue is empty.
 *
 * @param chain reused for each buffer; it holds as many segments as the queue has descriptors
 * @returns true when it is to be called again, after others had their turn: buffers are left, or are expected while the queue
 * is polled
 */
export function drainQueue(
  queue: Virtqueue,
  chain: DescriptorChain,
  handler: ChainHandler,
  interrupts: InterruptSink,
  options: DrainOptions = DEFAULTS,
): boolean {
  const { budget = queue.size, poll } = options;
  let left = budget;
  let more: boolean;
  queue.disableNotifications();
  do {
    while (left > 0 && queue.pop(chain)) {
      const length = handler.handleChain(chain);
      if (length !== CHAIN_KEPT) queue.pushUsed(chain.head, length);
      left -= 1;
    }
    more = true;
    if (left > 0 && poll?.goesOn(queue, left < budget)) break;
    more = queue.enableNotifications();
  } while (more && left > 0);
  if (queue.shouldInterrupt()) interrupts.usedBuffer(queue.index);
  return more;
}
