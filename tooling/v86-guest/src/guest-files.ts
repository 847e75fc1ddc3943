/** Checks the files that a guest is made of: what they are, what they are for, and how much a page has to fetch. */
import { gzipSync } from 'node:zlib';
import { GuestError } from './guest-error.ts';

/** "boot_flag" of the x86 boot protocol, at 0x1fe. */
const BOOT_FLAG = 0xaa55;
/** "HdrS", at 0x202. */
const HDRS = 0x53726448;

/**
 * The release, such as `6.12.117-viommu`, of a kernel image.
 *
 * @throws {GuestError} when it is no bzImage
 */
export function bzImageRelease(image: Buffer): string {
  if (
    image.length < 0x210 ||
    image.readUInt16LE(0x1fe) !== BOOT_FLAG ||
    image.readUInt32LE(0x202) !== HDRS
  ) {
    throw new GuestError('what make made is no bzImage');
  }
  // "kernel_version": the offset of a NUL-terminated text, less 0x200.
  const offset = image.readUInt16LE(0x20e) + 0x200;
  const release = /^([\x21-\x7e]+) /.exec(image.toString('latin1', offset, offset + 128))?.[1];
  if (release === undefined) throw new GuestError('the bzImage does not say which release it is');
  return release;
}

const ELF_MAGIC = 0x464c457f;
const ELFCLASS32 = 1;
const ELFDATA2LSB = 1;
const EM_386 = 3;
/** The program header that names a dynamic loader. */
const PT_INTERP = 3;

/**
 * That a program runs on an i386 without any library.
 *
 * @param name for the message
 * @throws {GuestError} when it does not
 */
export function checkStaticI386(program: Buffer, name: string): void {
  if (
    program.length < 0x34 ||
    program.readUInt32LE(0) !== ELF_MAGIC ||
    program[4] !== ELFCLASS32 ||
    program[5] !== ELFDATA2LSB ||
    program.readUInt16LE(0x12) !== EM_386
  ) {
    throw new GuestError(`${name} is no program for i386`);
  }
  const headers = program.readUInt32LE(0x1c);
  const size = program.readUInt16LE(0x2a);
  const count = program.readUInt16LE(0x2c);
  if (count === 0 || headers + count * size > program.length) {
    throw new GuestError(`${name} is cut short`);
  }
  for (let index = 0; index < count; index += 1) {
    if (program.readUInt32LE(headers + index * size) === PT_INTERP) {
      throw new GuestError(`${name} needs libraries, of which the guest has none`);
    }
  }
}

/** What a page may fetch in all, compressed, in bytes. */
const PAGE_BYTES = 7_000_000;
/** Of that, v86 itself: its WebAssembly and its script. */
const V86_BYTES = 2_500_000;

/**
 * What a page fetches of the files, compressed, in bytes.
 *
 * @throws {GuestError} when that is too much
 */
export function pageBytes(files: ReadonlyMap<string, Uint8Array>): number {
  const sizes = [...files].map(([name, content]) => [name, gzipSync(content).length] as const);
  const sum = sizes.reduce((total, [, size]) => total + size, 0);
  if (sum > PAGE_BYTES - V86_BYTES) {
    const list = sizes.map(([name, size]) => `${name} ${size}`).join(', ');
    throw new GuestError(
      `the files have ${sum} bytes when they are compressed (${list}), and ${PAGE_BYTES - V86_BYTES} is the limit`,
    );
  }
  return sum;
}
