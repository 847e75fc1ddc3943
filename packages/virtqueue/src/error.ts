/** VirtioError: thrown when the host program misuses a package; never for what a guest does. */

export class VirtioError extends Error {
  /** Stable and machine-readable, such as `QUEUE_SIZE`. */
  readonly code: string;

  /**
   * @param message what is wrong, and what to do about it
   */
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'VirtioError';
    this.code = code;
  }
}
