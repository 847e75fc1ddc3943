/** CommandError: something the user can mend; its message is the line that they see. */

export class CommandError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'CommandError';
  }
}

/** What the system says of a file, such as `ENOENT: no such file or directory`. */
export function systemMessage(error: unknown): string {
  return error instanceof Error ? error.message.split(', ')[0]! : String(error);
}
