/** Whether a request comes from this machine's own page. A page of elsewhere can have its name lead to loopback ("DNS rebinding"). */
import type { IncomingHttpHeaders } from 'node:http';

/** On any port: somebody may have forwarded one by SSH. */
const LOOPBACK_HOST = /^(127\.0\.0\.1|localhost)(:\d+)?$/;

/** Whether it was asked for by a name that nobody can have lead here. */
export function isLocal({ host = '' }: IncomingHttpHeaders): boolean {
  return LOOPBACK_HOST.test(host);
}

/** Whether a page that was served here asks. Browsers say of each WebSocket which page opens it. */
export function isOwnPage(headers: IncomingHttpHeaders): boolean {
  return isLocal(headers) && headers.origin === `http://${headers.host}`;
}
