/** postingLogger: what the device models log, as messages to the main thread. */
import type { Logger } from '@viommu/virtqueue';
import type { ServerMessage } from './server-messages.ts';

export function postingLogger(post: (message: ServerMessage) => void): Logger {
  return {
    debug() {},
    info: (message) => post({ type: 'log', level: 'info', message }),
    warn: (message) => post({ type: 'log', level: 'warn', message }),
    error: (message) => post({ type: 'log', level: 'error', message }),
  };
}
