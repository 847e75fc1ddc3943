/** The contract HarmlessRequest: one request that a device answers at once, whatever came before. Types and docs only. */
export interface HarmlessRequest {
  /** The queue that takes it. */
  readonly queue: number;
  /** Features of the device that its driver accepts, as a mask; none by default. */
  readonly features?: bigint;
  /** The device-readable bytes; there may be none. */
  readonly readable: readonly number[];
  /** How many device-writable bytes follow; there may be none, but not of both. */
  readonly writable: number;
  /** How many of them the device says that it wrote. */
  readonly usedLength: number;
  /** Whether these are the writable bytes of a right answer. Any are by default. */
  readonly isAnswer?: (bytes: Uint8Array) => boolean;
}
