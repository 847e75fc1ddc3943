/** The contract Virtqueue: the device's side of one queue, whatever the ring's format. Types and docs only. */
import type { GuestMemory } from '../memory/guest-memory.ts';

/**
 * One chain of descriptors, walked and checked as a whole before a device sees it. The caller owns the object and hands
 * it to each `pop`; arrays are structures of arrays so that nothing is allocated per chain.
 *
 * Device-readable segments come first ("Message Framing": readable before writable), writable ones follow.
 */
export interface DescriptorChain {
  /** The value to give back to `pushUsed`. */
  head: number;
  /** Number of segments, readable and writable. */
  count: number;
  /** Number of device-readable segments; segments from here on are device-writable. */
  readableCount: number;
  /** Sum of the readable segments' lengths in bytes. */
  readableLength: number;
  /** Sum of the writable segments' lengths in bytes. */
  writableLength: number;
  /** Address of each segment, in the queue's memory. */
  readonly addresses: Float64Array;
  /** Length of each segment in bytes. */
  readonly lengths: Uint32Array;
}

/** What a device does with one chain; see `drainQueue`. */
export interface ChainHandler {
  /**
   * @returns the number of bytes written into the writable part (the `len` of the used element), or
   * {@link CHAIN_KEPT} when the device keeps the buffer and pushes it later
   */
  handleChain(chain: DescriptorChain): number;
}

/** The device keeps the buffer for later. */
export const CHAIN_KEPT = -1;

export interface Virtqueue {
  readonly index: number;
  /** Number of descriptors, as the driver chose it. */
  readonly size: number;
  /** The memory in which the rings and the buffers lie: the device's DMA view. */
  readonly memory: GuestMemory;
  /** The driver broke the ring, and the device has asked for a reset; or it took the queue back. Nothing is popped or pushed any more. */
  readonly broken: boolean;
  /** Whether a look at the ring is a load from memory. Where it is a message to whoever has the memory, polling is no use. */
  readonly isInPlace: boolean;

  /**
   * Takes the next available chain.
   *
   * @returns false when there is none or the queue is broken
   */
  pop(chain: DescriptorChain): boolean;

  /**
   * Hands a buffer back; the driver can see it at once.
   *
   * @param head of a chain that was popped and not pushed since
   * @param length in bytes of what the device wrote into the buffer
   */
  pushUsed(head: number, length: number): void;

  /**
   * Hands `count` buffers back at once: the driver sees all of them used, or none. For one frame that is spread over several.
   *
   * @param heads in the order in which they were popped; `lengths` by the same index
   */
  pushUsedTogether(heads: Uint16Array, lengths: Uint32Array, count: number): void;

  /** Whether the driver wants an interrupt for what was pushed since the last call. Ask once for all that was pushed in one go. */
  shouldInterrupt(): boolean;

  /** Tells the driver that it need not kick while the device is looking at the ring anyway. */
  disableNotifications(): void;

  /**
   * Asks for kicks again.
   *
   * @returns true when buffers came in meanwhile, for which no kick will follow
   */
  enableNotifications(): boolean;
}
