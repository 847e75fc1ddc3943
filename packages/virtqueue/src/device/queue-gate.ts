/** The contract QueueGate: who decides when a device may take the next buffer, such as a debugger. Types and docs only. */

/** Where there is none, no queue pays for it. */
export interface QueueGate {
  /**
   * The device is about to be put on a bus.
   *
   * @param look has the device look at a queue the next time it works, as if its driver had kicked it: to be called once buffers may be
   * taken again
   */
  attached(look: (queue: number) => void): void;
  /** Asked before each buffer. A buffer that may not be taken stays in the ring, and the device finds the queue empty. */
  mayTake(queue: number): boolean;
  /** The device took a buffer. */
  taken(queue: number): void;
}
