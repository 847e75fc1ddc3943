/** Initial file systems for Linux guests. */
export { type CpioEntry, writeCpio } from './cpio.ts';
