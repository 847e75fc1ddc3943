/** Linux system calls that Node.js has no API for. */
export { Arena } from './arena.ts';
export * from './constants.ts';
export { describeErrno } from './errno-text.ts';
export { LinuxIoError, type LinuxIoErrorCode } from './error.ts';
export { type Libc, MAP_FAILED, type Pointer, requireLibc, whyUnsupported } from './libc.ts';
export { peerUid } from './peer-uid.ts';
export { POLL_SLOTS, PollSet } from './poll-set.ts';
export { MAX_SOCKET_PATH, unixSocketAddress } from './socket-address.ts';
