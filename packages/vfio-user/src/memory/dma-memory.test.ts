/** Guest memory by DMA_MAP: shared files in place, read-only windows, remaps, and what outlives a client. */
import { constants, openSync, readSync, writeSync } from 'node:fs';
import { EACCES, O_PATH } from '@viommu/linux-io';
import { createMemoryWindow } from '@viommu/virtqueue';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FakePciFunction } from '../testing-client/fake-pci-function.ts';
import { Harness } from '../testing-client/harness.ts';
import { dmaMapRequest, dmaUnmapRequest, errnoOf } from '../testing-client/requests.ts';
import { closeFd, memfd, type TestClient } from '../testing-client/test-client.ts';

const READ = 1;
const WRITE = 2;
const DENIED = -1;
const INVISIBLE = 0;
const EEXIST = 17;

let harness: Harness;
let pciFunction: FakePciFunction;
let client: TestClient;
let ram: number;
const out = createMemoryWindow();

beforeEach(() => {
  harness = new Harness();
  pciFunction = harness.listen();
  client = harness.negotiated();
  ram = memfd(0x10000);
});

afterEach(() => {
  harness.close();
  closeFd(ram);
});

function map(
  address: number | bigint,
  size: number | bigint,
  flags = 3,
  offset: number | bigint = 0,
  fds = [ram],
): number {
  return errnoOf(harness.ask(client, dmaMapRequest(address, size, flags, offset), fds));
}

function unmap(address: number | bigint, size: number | bigint, flags = 0): number {
  return errnoOf(harness.ask(client, dmaUnmapRequest(address, size, flags)));
}

it('lists its regions, and tells the function of each change that was made', () => {
  pciFunction.takeCalls();
  expect(map(0x8000, 0x2000)).toBe(0);
  expect(map(0x1000, 0x1000, READ, 0, [])).toBe(0);
  expect(map(0x9000, 0x1000)).toBe(EEXIST);
  expect(pciFunction.host!.memory.regions).toEqual([
    { start: 0x1000, end: 0x1fff, access: READ },
    { start: 0x8000, end: 0x9fff, access: READ | WRITE },
  ]);
  expect(pciFunction.takeCalls()).toEqual(['memoryChanged', 'memoryChanged']);
  expect(unmap(0x8000, 0x2000)).toBe(0);
  expect(pciFunction.host!.memory.regions).toHaveLength(1);
  expect(pciFunction.takeCalls()).toEqual(['memoryChanged']);
});

describe('shared memory', () => {
  it('is the same memory on both sides', () => {
    expect(map(0x8_0000_0000, 0x4000, 3, 0x1000)).toBe(0);
    const { memory } = pciFunction.host!;
    writeSync(ram, new Uint8Array([1, 2, 3, 4]), 0, 4, 0x1010);
    expect(memory.window(0x8_0000_0010, 4, READ | WRITE, out)).toBe(4);
    expect(out.view.getUint32(out.offset, true)).toBe(0x04030201);
    out.bytes[out.offset + 1] = 0xee;
    const seen = new Uint8Array(4);
    readSync(ram, seen, 0, 4, 0x1010);
    expect([...seen]).toEqual([1, 0xee, 3, 4]);
    expect(memory.write(0x8_0000_3ffe, new Uint8Array([7, 8, 9]), 1, 2)).toBe(true);
    readSync(ram, seen, 0, 4, 0x4ffe);
    expect([...seen]).toEqual([8, 9, 0, 0]);
  });

  it('ends a window where its mapping ends', () => {
    map(0x1000, 0x2000);
    const { memory } = pciFunction.host!;
    expect(memory.window(0x1ff0, 0x10000, READ, out)).toBe(0x1010);
    expect(memory.window(0x2fff, 2, READ, out)).toBe(1);
    expect(memory.window(0x3000, 1, READ, out)).toBe(DENIED);
    expect(memory.window(0xfff, 1, READ, out)).toBe(DENIED);
    expect(memory.window(Number.MAX_SAFE_INTEGER, 1, READ, out)).toBe(DENIED);
  });

  it('copies across mappings, and stops at a hole', () => {
    map(0, 0x1000, 3, 0x3000);
    map(0x1000, 0x1000, 3, 0x5000);
    const { memory } = pciFunction.host!;
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    expect(memory.write(0xf80, bytes, 0, 256)).toBe(true);
    const seen = new Uint8Array(256);
    expect(memory.read(0xf80, seen, 0, 256)).toBe(true);
    expect(seen).toEqual(bytes);
    const inFile = new Uint8Array(128);
    readSync(ram, inFile, 0, 128, 0x5000);
    expect(inFile).toEqual(bytes.subarray(128));
    expect(memory.read(0x1ff0, seen, 0, 32)).toBe(false);
    expect(memory.write(0x1ff0, bytes, 0, 32)).toBe(false);
  });

  it('honours the flags', () => {
    map(0, 0x1000, 1);
    map(0x1000, 0x1000, 2);
    const { memory } = pciFunction.host!;
    const byte = new Uint8Array(1);
    expect(memory.window(0, 1, READ, out)).toBe(1);
    expect(memory.window(0, 1, WRITE, out)).toBe(DENIED);
    expect(memory.window(0, 1, READ | WRITE, out)).toBe(DENIED);
    expect(memory.write(0, byte, 0, 1)).toBe(false);
    expect(memory.read(0, byte, 0, 1)).toBe(true);
    expect(memory.window(0x1000, 1, WRITE, out)).toBe(1);
    expect(memory.window(0x1000, 1, READ, out)).toBe(DENIED);
    expect(memory.read(0x1000, byte, 0, 1)).toBe(false);
    expect(memory.write(0x1000, byte, 0, 1)).toBe(true);
  });

  it('without a descriptor is not shown, and reached by no message outside of service', () => {
    expect(map(0, 0x1000, 3, 0, [])).toBe(0);
    const { memory } = pciFunction.host!;
    expect(memory.window(0, 1, READ, out)).toBe(INVISIBLE);
    expect(memory.read(0, new Uint8Array(1), 0, 1)).toBe(false);
    expect(client.receive()).toBeUndefined();
  });

  it('is one ArrayBuffer for all functions of the client', () => {
    const other = harness.listen('b.sock');
    const second = harness.negotiated('b.sock');
    map(0, 0x8000);
    harness.ask(second, dmaMapRequest(0, 0x1000, 3, 0x2000), [ram]);
    pciFunction.host!.memory.window(0, 1, READ, out);
    const { buffer } = out.bytes;
    other.host!.memory.window(0, 1, READ, out);
    expect(out.bytes.buffer).toBe(buffer);
    expect(out.offset).toBe(0x2000);
  });

  it('that its descriptor does not let us write is mapped for reading only', () => {
    writeSync(ram, new Uint8Array([0x5c]), 0, 1, 0);
    const readOnly = openSync(`/proc/self/fd/${ram}`, 'r');
    expect(map(0, 0x1000, 3, 0, [readOnly])).toBe(13);
    expect(map(0, 0x1000, 1, 0, [readOnly])).toBe(0);
    const { memory } = pciFunction.host!;
    const byte = new Uint8Array(1);
    expect(memory.read(0, byte, 0, 1)).toBe(true);
    expect(byte[0]).toBe(0x5c);
    expect(memory.write(0, byte, 0, 1)).toBe(false);
    // The same file by a better descriptor.
    expect(map(0x1000, 0x1000, 3, 0x1000)).toBe(0);
    expect(memory.write(0x1000, byte, 0, 1)).toBe(true);
    closeFd(readOnly);
  });

  it('gives no more than its descriptor does, whoever has mapped the file by a better one', () => {
    const other = harness.listen('b.sock');
    const second = harness.negotiated('b.sock');
    expect(errnoOf(harness.ask(second, dmaMapRequest(0, 0x1000, 3), [ram]))).toBe(0);
    const path = `/proc/self/fd/${ram}`;
    const readOnly = openSync(path, 'r');
    const writeOnly = openSync(path, constants.O_WRONLY);
    const nameOnly = openSync(path, O_PATH);
    expect(map(0, 0x1000, 3, 0, [readOnly])).toBe(EACCES);
    expect(map(0, 0x1000, 2, 0, [readOnly])).toBe(EACCES);
    expect(map(0, 0x1000, 1, 0, [writeOnly])).toBe(EACCES);
    expect(map(0, 0x1000, 1, 0, [nameOnly])).toBe(EACCES);
    expect(pciFunction.host!.memory.regions).toEqual([]);
    expect(map(0, 0x1000, 1, 0, [readOnly])).toBe(0);
    expect(other.host!.memory.write(0, new Uint8Array(1), 0, 1)).toBe(true);
    for (const fd of [readOnly, writeOnly, nameOnly]) closeFd(fd);
  });

  it('of more than 1 GiB is shown in parts', () => {
    const large = memfd(2 ** 30 + 0x2000);
    expect(map(0, 2 ** 30 + 0x2000, 3, 0, [large])).toBe(0);
    const { memory } = pciFunction.host!;
    expect(memory.window(2 ** 30 - 16, 64, READ, out)).toBe(16);
    expect(memory.window(2 ** 30, 64, READ, out)).toBe(64);
    const bytes = Uint8Array.from({ length: 100 }, (_, index) => index);
    expect(memory.write(2 ** 30 - 50, bytes, 0, 100)).toBe(true);
    const seen = new Uint8Array(100);
    readSync(large, seen, 0, 100, 2 ** 30 - 50);
    expect(seen).toEqual(bytes);
    closeFd(large);
  });
});

describe('DMA_MAP and DMA_UNMAP', () => {
  it('refuse what the protocol forbids', () => {
    expect(map(0x1000, 0x1000)).toBe(0);
    expect(map(0x1fff, 0x1000)).toBe(17);
    expect(map(0, 0x1001)).toBe(17);
    expect(map(0x8000, 0)).toBe(22);
    expect(map(0x8000, 0x1000, 4)).toBe(22);
    expect(map(0xffff_ffff_ffff_f000n, 0x1000)).toBe(22);
    expect(map(0x8000, 0x1000, 3, 0xf001)).toBe(22);
    expect(map(0x8000, 0x1000, 3, 0xffff_ffff_ffff_f000n)).toBe(22);
    expect(map(0x8000, 0x1000, 3, 0, [ram, ram])).toBe(22);
    expect(unmap(0x5000, 0x1000)).toBe(2);
    expect(unmap(0x1000, 0xfff)).toBe(22);
    expect(unmap(0x1001, 0x1000)).toBe(22);
    expect(unmap(0x1000, 0)).toBe(22);
    expect(unmap(0x1000, 0x1000, 4)).toBe(22);
    expect(pciFunction.host!.memory.window(0x1000, 0x1000, 3, out)).toBe(0x1000);
  });

  it('UNMAP answers with the request, ends the windows, and says so', () => {
    map(0x1000, 0x1000);
    const { memory } = pciFunction.host!;
    memory.window(0x1000, 1, READ, out);
    const { generation } = memory;
    const request = dmaUnmapRequest(0x1000, 0x1000);
    const reply = harness.ask(client, request)!;
    expect(reply.length).toBe(40);
    expect(reply.subarray(16)).toEqual(request.subarray(16));
    expect(memory.generation).toBeGreaterThan(generation);
    expect(memory.window(0x1000, 1, READ, out)).toBe(DENIED);
  });

  it('UNMAP of a range takes every window in it; with flag 2, all', () => {
    map(0, 0x1000);
    map(0x2000, 0x1000);
    map(0x8000, 0x1000);
    expect(unmap(0, 0x4000)).toBe(0);
    const { memory } = pciFunction.host!;
    expect(memory.window(0, 1, READ, out)).toBe(DENIED);
    expect(memory.window(0x2000, 1, READ, out)).toBe(DENIED);
    expect(memory.window(0x8000, 1, READ, out)).toBe(1);
    expect(unmap(0, 0, 2)).toBe(0);
    expect(memory.window(0x8000, 1, READ, out)).toBe(DENIED);
  });

  it('keeps the file mapped while firmware takes its windows away and gives them back', () => {
    map(0, 0x8000);
    const { memory } = pciFunction.host!;
    memory.window(0, 1, READ, out);
    const { buffer } = out.bytes;
    unmap(0, 0x8000);
    map(0, 0x4000);
    map(0x4000, 0x4000, 3, 0x4000);
    memory.window(0x4000, 1, READ, out);
    expect(out.bytes.buffer).toBe(buffer);
    expect(out.offset).toBe(0x4000);
  });
});

describe('a client that leaves', () => {
  it('takes its memory along: an old view is harmless, and its addresses serve the next client', () => {
    map(0, 0x8000);
    writeSync(ram, new Uint8Array([0x55]), 0, 1, 0);
    const { memory } = pciFunction.host!;
    memory.window(0, 1, READ, out);
    const old = out.bytes;
    expect(old[0]).toBe(0x55);
    client.close();
    harness.settle();
    expect(memory.window(0, 1, READ, out)).toBe(DENIED);
    expect(old[0]).toBe(0);
    old[0] = 0x77;
    const seen = new Uint8Array(1);
    readSync(ram, seen, 0, 1, 0);
    expect(seen[0]).toBe(0x55);

    client = harness.negotiated();
    const next = memfd(0x10000);
    map(0, 0x8000, 3, 0, [next]);
    pciFunction.host!.memory.window(0, 1, READ, out);
    expect(out.bytes.buffer).toBe(old.buffer);
    expect(out.bytes[0]).toBe(0);
    closeFd(next);
  });
});
