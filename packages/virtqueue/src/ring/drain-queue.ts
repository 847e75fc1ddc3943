/** drainQueue: the one loop with which every device works through a queue. */
import type { InterruptSink } from '../device/virtio-device.ts';
import {
  CHAIN_KEPT,
  type ChainHandler,
  type DescriptorChain,
  type Virtqueue,
} from './virtqueue.ts';

// In Node.js and in browsers alike.
declare const performance: { now(): number };

export interface DrainOptions {
  /** Buffers after which to stop; the size of the queue by default. */
  readonly budget?: number;
  /**
   * Microseconds for which an empty queue is looked at again and again before the device asks for kicks; 0 by default. It
   * saves a driver that waits for each answer its kick and the wake-up, and costs every other device of the thread as
   * much time; worth it only where the driver runs meanwhile, on another core.
   */
  readonly pollMicroseconds?: number;
}

const DEFAULTS: DrainOptions = {};

/**
 * Pops chains, has each handled, pushes it used, and decides whether to interrupt once the queue is empty.
 *
 * @param chain reused for each buffer; it holds as many segments as the queue has descriptors
 * @returns true when buffers are left: the guest makes them as fast as we use them, and others want their turn
 */
export function drainQueue(
  queue: Virtqueue,
  chain: DescriptorChain,
  handler: ChainHandler,
  interrupts: InterruptSink,
  options: DrainOptions = DEFAULTS,
): boolean {
  const { budget = queue.size, pollMicroseconds = 0 } = options;
  let left = budget;
  let more: boolean;
  queue.disableNotifications();
  do {
    while (left > 0 && (queue.pop(chain) || poll(queue, chain, interrupts, pollMicroseconds))) {
      const length = handler.handleChain(chain);
      if (length !== CHAIN_KEPT) queue.pushUsed(chain.head, length);
      left -= 1;
    }
    more = queue.enableNotifications();
  } while (more && left > 0);
  interruptIfWanted(queue, interrupts);
  return more;
}

/** @returns true when a buffer came in before the time was over */
function poll(
  queue: Virtqueue,
  chain: DescriptorChain,
  interrupts: InterruptSink,
  microseconds: number,
): boolean {
  if (microseconds === 0) return false;
  // A driver that sleeps until it is interrupted adds nothing before.
  interruptIfWanted(queue, interrupts);
  const end = performance.now() + microseconds / 1000;
  while (!queue.broken && performance.now() < end) if (queue.pop(chain)) return true;
  return false;
}

function interruptIfWanted(queue: Virtqueue, interrupts: InterruptSink): void {
  if (queue.shouldInterrupt()) interrupts.usedBuffer(queue.index);
}
