/** Descriptors are looked at without waiting, with a socket of this process on both ends. */

import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PollSource } from '@viommu/vfio-user';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SourcePoll } from './source-poll.ts';

let folder: string;
let fd: number;
let poll: SourcePoll;
let told: unknown[];
let wants: { read: boolean; write: boolean };

/** A named pipe, open for both. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  fd = openSync(path, 'r+');
  told = [];
  wants = { read: true, write: false };
});
afterEach(() => {
  poll.close();
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

function sourceOf(descriptor: number): PollSource {
  return {
    fd: descriptor,
    wantsRead: () => wants.read,
    wantsWrite: () => wants.write,
    ready: (...what) => void told.push(what),
    work: () => told.push('work'),
  };
}

it('tells of what has come, of what can go, and has each work', () => {
  poll = new SourcePoll([sourceOf(-1), sourceOf(fd)]);
  poll.poll();
  expect(told.splice(0)).toEqual(['work', 'work']);
  writeSync(fd, 'x');
  poll.poll();
  expect(told.splice(0)).toEqual(['work', [true, false], 'work']);
  wants.write = true;
  poll.poll();
  expect(told.splice(0)).toEqual(['work', [true, true], 'work']);
  wants.read = false;
  readSync(fd, new Uint8Array(1));
  poll.poll();
  expect(told.splice(0)).toEqual(['work', [false, true], 'work']);
});

it('does not ask for what nobody wants', () => {
  poll = new SourcePoll([sourceOf(fd)]);
  writeSync(fd, 'x');
  wants.read = false;
  poll.poll();
  expect(told).toEqual(['work']);
});
