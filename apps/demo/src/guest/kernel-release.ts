/** Reads from a kernel image which release it is. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { CommandError, messageOf } from '../command-error.ts';
import type { Architecture } from './architecture.ts';

/** "HdrS" of the x86 boot protocol, at 0x202 of a bzImage. */
const HDRS = 0x53726448;
/** "ARM\x64" at 0x38 of an arm64 Image. */
const ARM64_MAGIC = 0x644d5241;
const GZIP_MAGIC = 0x8b1f;
/** What the arm64 kernel prints first; its image holds nothing else that says the release. */
const BANNER = 'Linux version ';
/** More than any release; the kernel's own limit is 64. */
const LONGEST_RELEASE = 128;

/**
 * The release, such as `6.12.117+deb13-amd64`, that `uname -r` will say.
 *
 * @throws {CommandError} when the file cannot be read or is no kernel of that architecture: a bzImage of x86, or an Image
 *   of arm64, which may be compressed with gzip
 */
export function kernelRelease(path: string, architecture: Architecture = 'x86_64'): string {
  let image: Buffer;
  try {
    image = readFileSync(path);
  } catch (error) {
    throw new CommandError(`the kernel ${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const release = architecture === 'arm64' ? arm64Release(image) : x86Release(image);
  if (release === undefined) {
    const kind = architecture === 'arm64' ? 'an arm64' : 'an x86';
    throw new CommandError(`${path} is not ${kind} Linux kernel; it takes a vmlinuz`);
  }
  return release;
}

/** The boot protocol, "kernel_version": the offset of a NUL-terminated text, less 0x200. */
function x86Release(image: Buffer): string | undefined {
  if (image.length < 0x210 || image.readUInt32LE(0x202) !== HDRS) return undefined;
  const offset = image.readUInt16LE(0x20e);
  return offset === 0 ? undefined : firstWord(image, offset + 0x200);
}

function arm64Release(file: Buffer): string | undefined {
  const image = decompress(file);
  if (image === undefined || image.length < 0x40) return undefined;
  if (image.readUInt32LE(0x38) !== ARM64_MAGIC) return undefined;
  const banner = image.indexOf(BANNER);
  return banner < 0 ? undefined : firstWord(image, banner + BANNER.length);
}

function decompress(file: Buffer): Buffer | undefined {
  if (file.length < 2 || file.readUInt16LE(0) !== GZIP_MAGIC) return file;
  try {
    return gunzipSync(file);
  } catch {
    return undefined;
  }
}

function firstWord(image: Buffer, offset: number): string | undefined {
  const text = image.toString('latin1', offset, offset + LONGEST_RELEASE);
  return /^([\x21-\x7e]+)[ \0]/.exec(text)?.[1];
}
