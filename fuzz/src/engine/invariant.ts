/** InvariantError: something that must hold does not; its message says what. */

class InvariantError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvariantError';
  }
}

/** To be called behind a comparison of the caller's, so that the message is put together only when it is needed. */
export function violated(message: string): never {
  throw new InvariantError(message);
}
