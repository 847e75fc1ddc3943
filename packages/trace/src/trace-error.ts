/** TraceError: a trace that is damaged, or of a version that this package does not know. */
export class TraceError extends Error {
  /** @param message what is wrong with it, to be shown to people */
  constructor(message: string) {
    super(message);
    this.name = 'TraceError';
  }
}
