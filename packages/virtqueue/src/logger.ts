/** The contract Logger: where packages say what an operator should know; they never print by themselves. */

export interface Logger {
  /** Detail for a developer who follows one request. */
  debug(message: string): void;
  /** A state change that an operator may want to see. */
  info(message: string): void;
  /** The guest or the set-up does something that will probably not do what was meant. */
  warn(message: string): void;
  /** Something is broken; what was dropped or stopped is in the message. */
  error(message: string): void;
}

/** Says nothing; the default wherever a logger is optional. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
};
