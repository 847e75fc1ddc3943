/** An error that ends a command with one clear line: what is wrong, and where. */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError';
}
