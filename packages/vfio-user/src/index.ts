/** Serves PCI functions to a stock QEMU over vfio-user sockets. */
export { VfioUserError, type VfioUserErrorCode } from './error.ts';
export { isVfioUserSupported, whyUnsupported } from './native/ffi.ts';
export { VfioUserServer, type VfioUserServerOptions } from './server.ts';
export { requestStop } from './stop-handle.ts';
