/** What an errno means, for messages. */
import { getSystemErrorMap } from 'node:util';

/** Such as `EPERM: operation not permitted`. */
export function describeErrno(errno: number): string {
  const entry = getSystemErrorMap().get(-errno);
  return entry === undefined ? `errno ${errno}` : `${entry[0]}: ${entry[1]}`;
}
