/** Serves PCI functions to a stock QEMU over vfio-user sockets. */
export { VfioUserError, type VfioUserErrorCode } from './error.ts';
export { objectionToPeer } from './peer-check.ts';
export type { PollSource } from './poll-source.ts';
export { VfioUserServer, type VfioUserServerOptions } from './server.ts';
export { requestStop } from './stop-handle.ts';
export { isVfioUserSupported, whyUnsupported } from './support.ts';
export { closeListening, type ListeningSocket, listenOn } from './unix-socket.ts';
