/** Where the traces are that come with this program. */
import { packageFile } from '../package-file.ts';

/** @param name one of `SHIPPED_BOOTS` */
export function shippedTrace(name: string): string {
  return packageFile(`traces/${name}.vtrace`);
}
