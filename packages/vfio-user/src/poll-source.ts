/** The contract PollSource: what else wakes the thread that a server blocks. Types and docs only. */

/**
 * A file descriptor of a device's backend, such as the socket of a network. The server asks it before each wait, and tells
 * it what came. Its descriptor must not block.
 */
export interface PollSource {
  /** The descriptor; negative when there is none any more. */
  readonly fd: number;
  /** Whether to wake up when there is something to read. False from `ready` until all of it was read. */
  wantsRead(): boolean;
  /** Whether to wake up when there is room to write. */
  wantsWrite(): boolean;
  /**
   * The descriptor has become ready, or its peer is gone: then both are true. It can come while a function waits for its
   * client's memory, so it only notes what there is to do and has it done in the function's `service`; it must not throw.
   */
  ready(readable: boolean, writable: boolean): void;
  /**
   * For what is done in no function's `service`: called at the start of each round, when no function waits for its
   * client's memory and no client changes it. It must be quick, and not throw.
   *
   * @returns milliseconds until it wants to be called again, if nothing else wakes the thread before; -1 for none
   */
  work?(): number;
}
