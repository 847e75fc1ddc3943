export type { FileDisk } from './file-disk.ts';
export { openFileDisk } from './file-disk.ts';
export { fillRandom } from './random.ts';
