/** A disk on a real file. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openFileDisk } from './file-disk.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-disk-'));
  path = join(folder, 'disk.img');
  writeFileSync(
    path,
    Uint8Array.from({ length: 2048 }, (_, index) => index & 0xff),
  );
});

afterEach(() => rmSync(folder, { recursive: true }));

it('reads and writes where it is told', () => {
  const disk = openFileDisk(path);
  expect([disk.size, disk.readOnly]).toEqual([2048, false]);
  const target = new Uint8Array(600).fill(0xee);
  disk.read(512, target, 10, 512);
  expect([...target.subarray(8, 12)]).toEqual([0xee, 0xee, 0, 1]);
  expect([...target.subarray(520, 524)]).toEqual([0xfe, 0xff, 0xee, 0xee]);
  disk.write(1024, new Uint8Array(700).fill(7, 50, 562), 50, 512);
  disk.flush();
  disk.close();
  const after = readFileSync(path);
  expect([after.length, after[1023], after[1024], after[1535], after[1536]]).toEqual([
    2048, 0xff, 7, 7, 0,
  ]);
});

it('reads a file that it must not write', () => {
  chmodSync(path, 0o444);
  const disk = openFileDisk(path, { readOnly: true });
  expect(disk.readOnly).toBe(true);
  const target = new Uint8Array(512);
  disk.read(0, target, 0, 512);
  expect(target[511]).toBe(0xff);
  disk.flush();
  disk.close();
});

it('fails a read and a write of what is no longer there, and leaves it so', () => {
  const disk = openFileDisk(path);
  truncateSync(path, 1000);
  expect(() => disk.read(512, new Uint8Array(1024), 0, 1024)).toThrow(
    expect.objectContaining({ code: 'DISK_TRUNCATED', message: expect.stringContaining(path) }),
  );
  expect(() => disk.write(512, new Uint8Array(512), 0, 512)).toThrow(
    expect.objectContaining({ code: 'DISK_TRUNCATED' }),
  );
  expect(statSync(path).size).toBe(1000);
  disk.write(0, new Uint8Array(512).fill(9), 0, 512);
  disk.read(0, new Uint8Array(512), 0, 512);
  disk.close();
});

it('flushes no more once a flush has failed, for what was lost stays lost', () => {
  const disk = openFileDisk(path);
  const file = readdirSync('/proc/self/fd').find((fd) => {
    const link = `/proc/self/fd/${fd}`;
    return existsSync(link) && readlinkSync(link) === realpathSync(path);
  });
  closeSync(Number(file));
  expect(() => disk.flush()).toThrow(
    expect.objectContaining({
      code: 'DISK_LOST_WRITES',
      message: expect.stringContaining('EBADF'),
    }),
  );
  expect(openSync(path, 'r+')).toBe(Number(file));
  disk.write(0, new Uint8Array(512), 0, 512);
  expect(() => disk.flush()).toThrow(expect.objectContaining({ code: 'DISK_LOST_WRITES' }));
  expect(() => disk.close()).toThrow(expect.objectContaining({ code: 'DISK_LOST_WRITES' }));
  expect(existsSync(`/proc/self/fd/${file}`)).toBe(false);
});

it('fails a write beyond what the process may write, and goes on', () => {
  truncateSync(path, 128 * 1024);
  const disk = openFileDisk(path);
  const before = limitFileSize('65536');
  try {
    expect(() => disk.write(65536, new Uint8Array(512), 0, 512)).toThrow(
      expect.objectContaining({ code: 'EFBIG' }),
    );
    disk.write(0, new Uint8Array(512).fill(7), 0, 512);
    disk.flush();
  } finally {
    limitFileSize(before);
  }
  disk.write(65536, new Uint8Array(512), 0, 512);
  disk.close();
  expect(readFileSync(path)[511]).toBe(7);
});

it.each([
  ['no file', () => join(folder, 'none'), 'DISK_OPEN', 'ENOENT'],
  ['an empty file', () => sized(0), 'DISK_SIZE', 'has 0 bytes'],
  ['a file of no whole sectors', () => sized(1000), 'DISK_SIZE', 'has 1000 bytes'],
])('refuses %s', (_what, make, code, message) => {
  expect(() => openFileDisk(make())).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  );
});

it('refuses a folder', () => {
  mkdirSync(join(folder, 'sub'));
  const open = (readOnly: boolean) => () => openFileDisk(join(folder, 'sub'), { readOnly });
  expect(open(false)).toThrow(expect.objectContaining({ code: 'DISK_OPEN' }));
  expect(open(true)).toThrow(expect.objectContaining({ code: 'DISK_FILE' }));
});

/** RLIMIT_FSIZE of this process, in bytes; answers what it was. */
function limitFileSize(bytes: string): string {
  const prlimit = (...args: string[]) =>
    execFileSync('prlimit', ['--pid', `${process.pid}`, ...args], { encoding: 'utf8' }).trim();
  const before = prlimit('--fsize', '--output', 'SOFT', '--noheadings');
  prlimit(`--fsize=${bytes}:`);
  return before;
}

function sized(length: number): string {
  writeFileSync(path, new Uint8Array(length));
  return path;
}
