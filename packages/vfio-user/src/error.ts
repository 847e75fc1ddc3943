/** VfioUserError: thrown when the host program misuses the server or the system cannot serve; never for what a peer sends. */

export type VfioUserErrorCode =
  | 'UNSUPPORTED'
  | 'PATH_TOO_LONG'
  | 'NO_DIRECTORY'
  /** Others could put a socket of their own in the place of ours. */
  | 'UNSAFE_DIRECTORY'
  | 'NOT_A_SOCKET'
  | 'ADDRESS_IN_USE'
  | 'PERMISSION'
  | 'TOO_MANY_FUNCTIONS'
  | 'CLOSED'
  | 'SYSTEM';

export class VfioUserError extends Error {
  readonly code: VfioUserErrorCode;

  /**
   * @param message what is wrong, and what to do about it
   */
  constructor(code: VfioUserErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'VfioUserError';
    this.code = code;
  }
}
