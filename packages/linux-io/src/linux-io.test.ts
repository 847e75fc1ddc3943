/** The system calls on this system: what they do, and what they say when they cannot. */
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Arena, describeErrno, PollSet, requireLibc, unixSocketAddress } from './index.ts';

const libc = requireLibc();
const [AF_UNIX, SOCK_STREAM, NONBLOCK, DONTWAIT, NOSIGNAL] = [1, 1, 0x800, 0x40, 0x4000];
const [POLLIN, POLLOUT, POLLHUP] = [1, 4, 0x10];
const [ENOENT, EAGAIN, EPIPE] = [2, 11, 32];

describe('a socket', () => {
  let folder: string;
  let listener: number;
  let client: number;
  let server: number;
  let arena: Arena;
  let pollSet: PollSet;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'linux-io-'));
    const address = unixSocketAddress(join(folder, 'a.sock'))!;
    listener = libc.socket(AF_UNIX, SOCK_STREAM | NONBLOCK, 0);
    client = libc.socket(AF_UNIX, SOCK_STREAM | NONBLOCK, 0);
    expect(libc.bind(listener, address, address.length)).toBe(0);
    expect(libc.listen(listener, 1)).toBe(0);
    expect(libc.connect(client, address, address.length)).toBe(0);
    server = libc.accept4(listener, null, null, NONBLOCK);
    arena = Arena.take(libc, 4096);
    pollSet = new PollSet(libc);
  });
  afterEach(() => {
    for (const fd of [listener, client, server]) libc.close(fd);
    arena.giveBack();
    pollSet.giveBack();
    rmSync(folder, { recursive: true });
  });

  it('moves bytes between arenas', () => {
    arena.view.setUint32(0, 0x1234_5678);
    expect(libc.send(client, arena.address, 4, NOSIGNAL)).toBe(4);
    expect(libc.recv(server, arena.addressOf(100), 50, DONTWAIT)).toBe(4);
    expect(arena.view.getUint32(100)).toBe(0x1234_5678);
    expect(libc.write(server, arena.addressOf(100), 2)).toBe(2);
    expect(libc.read(client, arena.addressOf(200), 50)).toBe(2);
    expect(arena.view.getUint16(200)).toBe(0x1234);
  });

  it('says that there is nothing, and that nobody is there', () => {
    expect(libc.recv(server, arena.address, 50, DONTWAIT)).toBe(-1);
    expect(libc.errno()).toBe(EAGAIN);
    libc.close(client);
    expect(libc.recv(server, arena.address, 50, DONTWAIT)).toBe(0);
    expect(libc.send(server, arena.address, 4, NOSIGNAL)).toBe(-1);
    expect(libc.errno()).toBe(EPIPE);
    client = libc.socket(AF_UNIX, SOCK_STREAM, 0);
  });

  it('is waited for', () => {
    pollSet.set(0, client, POLLIN | POLLOUT);
    pollSet.set(2, server, POLLIN);
    pollSet.wait(0);
    expect([0, 1, 2].map((slot) => pollSet.events(slot))).toEqual([POLLOUT, 0, 0]);
    libc.write(client, arena.address, 1);
    pollSet.clear(0);
    pollSet.wait(10_000);
    expect([pollSet.events(0), pollSet.events(2)]).toEqual([0, POLLIN]);
    libc.close(client);
    pollSet.wait(10_000);
    expect(pollSet.events(2)).toBe(POLLIN | POLLHUP);
    client = libc.socket(AF_UNIX, SOCK_STREAM, 0);
  });
});

it('an ioctl reads what the kernel has', () => {
  const TIOCGWINSZ = 0x5413;
  const FIONREAD = 0x541b;
  const arena = Arena.take(libc, 4096);
  const fd = openSync('/dev/null', 'r');
  expect(libc.ioctl(fd, TIOCGWINSZ, arena.address)).toBe(-1);
  closeSync(fd);
  const socket = libc.socket(AF_UNIX, SOCK_STREAM, 0);
  arena.view.setInt32(0, -1, true);
  expect(libc.ioctl(socket, FIONREAD, arena.address)).toBe(0);
  expect(arena.view.getInt32(0, true)).toBe(0);
  libc.close(socket);
  arena.giveBack();
});

it('an arena that was given back is used again', () => {
  const first = Arena.take(libc, 12288);
  first.giveBack();
  expect(Arena.take(libc, 12288)).toBe(first);
  expect(Arena.take(libc, 12288)).not.toBe(first);
});

it('an address takes a path of 1 to 107 bytes', () => {
  expect([...unixSocketAddress('/a')!]).toEqual([1, 0, 0x2f, 0x61, 0]);
  expect(unixSocketAddress('x'.repeat(107))?.length).toBe(110);
  expect(unixSocketAddress('x'.repeat(108))).toBeUndefined();
  expect(unixSocketAddress('ä'.repeat(54))).toBeUndefined();
  expect(unixSocketAddress('')).toBeUndefined();
});

it('an errno says what it means', () => {
  expect(describeErrno(ENOENT)).toBe('ENOENT: no such file or directory');
  expect(describeErrno(9999)).toBe('errno 9999');
});
