export type { SystemNetBackend } from './descriptor-net-backend.ts';
export type { FileDisk } from './file-disk.ts';
export { openFileDisk } from './file-disk.ts';
export { fillRandom } from './random.ts';
export type { StreamNetBackendOptions } from './stream-net-backend.ts';
export { openStreamNetBackend } from './stream-net-backend.ts';
export type { TapNetBackendOptions } from './tap-net-backend.ts';
export { openTapBackend } from './tap-net-backend.ts';
