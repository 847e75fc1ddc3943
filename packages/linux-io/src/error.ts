/** LinuxIoError: thrown when the system lacks what this package needs; what a system call says is an errno. */

export type LinuxIoErrorCode =
  /** Not Linux, not x64 or arm64, or koffi's binary is missing. */
  | 'UNSUPPORTED'
  /** A call failed that does not fail on a working system. */
  | 'SYSTEM';

export class LinuxIoError extends Error {
  readonly code: LinuxIoErrorCode;

  /**
   * @param message what is wrong, and what to do about it
   */
  constructor(code: LinuxIoErrorCode, message: string) {
    super(message);
    this.name = 'LinuxIoError';
    this.code = code;
  }
}
