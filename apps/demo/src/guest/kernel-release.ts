/** Reads from a kernel image which release it is. */
import { closeSync, openSync, readSync } from 'node:fs';
import { CommandError, messageOf } from '../command-error.ts';

/** "HdrS" of the x86 boot protocol, at 0x202 of a bzImage. */
const HDRS = 0x53726448;
/** The boot sector, and the set-up code after it that holds the text. */
const LONGEST_SETUP = 65 * 512;

/**
 * The release, such as `6.12.117+deb13-amd64`, that `uname -r` will say.
 *
 * @throws {CommandError} when the file cannot be read or is no x86 kernel in bzImage form
 */
export function kernelRelease(path: string): string {
  const start = Buffer.alloc(LONGEST_SETUP);
  try {
    const file = openSync(path, 'r');
    try {
      readSync(file, start, 0, start.length, 0);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new CommandError(`the kernel ${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  // The boot protocol, "kernel_version": the offset of a NUL-terminated text, less 0x200.
  const offset = start.readUInt16LE(0x20e) + 0x200;
  const end = start.indexOf(0, offset);
  if (start.readUInt32LE(0x202) !== HDRS || offset === 0x200 || end < 0) {
    throw new CommandError(`${path} is not an x86 Linux kernel; it takes a vmlinuz`);
  }
  return start.toString('latin1', offset, end).split(' ', 1)[0]!;
}
