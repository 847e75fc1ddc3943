/** No descriptor of a client stays open that was not asked for: counted in /proc/self/fd. */
import { openSync, readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FakePciFunction } from './testing-client/fake-pci-function.ts';
import { Harness } from './testing-client/harness.ts';
import {
  dmaMapRequest,
  dmaUnmapRequest,
  errnoOf,
  postedWriteRequest,
  regionReadRequest,
  setIrqsRequest,
} from './testing-client/requests.ts';
import {
  closeFd,
  eventfd,
  fields,
  memfd,
  message,
  type TestClient,
  versionRequest,
} from './testing-client/test-client.ts';

const EINVAL = 22;
const ENOTSUP = 95;

let harness: Harness;
let pciFunction: FakePciFunction;
let client: TestClient;
let fds: number[];
let before: number;

const openFds = () => readdirSync('/proc/self/fd').length;

beforeEach(() => {
  harness = new Harness();
  pciFunction = harness.listen();
  client = harness.negotiated();
  fds = Array.from({ length: 17 }, eventfd);
  before = openFds();
});

afterEach(() => {
  harness.close();
  fds.forEach(closeFd);
});

describe('a command that takes no descriptor', () => {
  it.each([
    ['DMA_UNMAP', dmaUnmapRequest(0, 0x1000)],
    ['DEVICE_GET_INFO', message(4, 4, fields([4, 16], [4, 0], [4, 0], [4, 0]))],
    ['REGION_READ', regionReadRequest(0, 0, 1)],
    ['REGION_WRITE', postedWriteRequest(0, 0, 1)],
    ['DEVICE_RESET', message(6, 13, new Uint8Array())],
    ['SET_IRQS that masks', setIrqsRequest(0x09, 0, 0, 1)],
    ['a second VERSION', versionRequest()],
    ['an unknown one', message(6, 99, new Uint8Array())],
    ['a reply', message(0x8000, 11, new Uint8Array(16), 1)],
  ])('closes those of %s', (_name, request) => {
    const left = request[8] === 1 ? before - 1 : before;
    for (const count of [1, 16]) {
      harness.ask(client, request, fds.slice(0, count));
      // A reply that nothing was asked for ends the connection, too.
      expect(openFds()).toBe(left);
    }
  });

  it('closes those of a reset that waits for the function, before it waits', () => {
    harness.ask(client, dmaMapRequest(0, 0x1000, 3));
    let during = 0;
    pciFunction.work = () => {
      pciFunction.work = () => false;
      client.send(message(6, 13, new Uint8Array()), fds.slice(0, 16));
      pciFunction.host!.memory.read(0, new Uint8Array(4), 0, 4);
      during = openFds();
      return false;
    };
    harness.settle();
    expect(during).toBe(before);
    expect(pciFunction.takeCalls()).toContain('reset');
  });
});

describe('a message with too many', () => {
  it('keeps none: SET_IRQS for fewer vectors, DMA_MAP for one window', () => {
    const ram = memfd(0x1000);
    before = openFds();
    expect(errnoOf(harness.ask(client, setIrqsRequest(0x24, 2, 0, 2), fds.slice(0, 3)))).toBe(
      EINVAL,
    );
    expect(errnoOf(harness.ask(client, dmaMapRequest(0, 0x1000, 3), [ram, ram]))).toBe(EINVAL);
    expect(openFds()).toBe(before);
    // The one that maps memory is not needed once it is mapped.
    expect(errnoOf(harness.ask(client, dmaMapRequest(0, 0x1000, 3), [ram]))).toBe(0);
    expect(openFds()).toBe(before);
    expect(errnoOf(harness.ask(client, setIrqsRequest(0x24, 2, 0, 2), fds.slice(0, 2)))).toBe(0);
    expect(openFds()).toBe(before + 2);
    closeFd(ram);
  });

  it('ends the connection beyond the sixteen that were announced', () => {
    client.send(regionReadRequest(0, 0, 1), fds);
    harness.settle();
    expect(harness.complaints).toHaveLength(1);
    // The connection's own socket is gone as well.
    expect(openFds()).toBe(before - 1);
  });

  it('counts those that come with two parts of a message', () => {
    const request = regionReadRequest(0, 0, 1);
    client.send(request.subarray(0, 8), fds.slice(0, 10));
    client.send(request.subarray(8), fds.slice(0, 10));
    harness.settle();
    expect(harness.complaints).toHaveLength(1);
    expect(openFds()).toBe(before - 1);
  });
});

describe('an error in the middle', () => {
  it.each([
    ['a size that is too large', fields([2, 1], [2, 8], [4, 0xffffff], [4, 0], [4, 0])],
    ['an unknown type', message(1, 8, new Uint8Array(16), 2)],
  ])('closes those of a message with %s', (_name, bytes) => {
    client.send(bytes, fds.slice(0, 16));
    harness.settle();
    expect(harness.complaints).toHaveLength(1);
    expect(openFds()).toBe(before - 1);
  });

  it('closes those of half a message when its client leaves', () => {
    client.send(setIrqsRequest(0x24, 2, 0, 2).subarray(0, 20), fds.slice(0, 2));
    harness.settle();
    expect(openFds()).toBe(before + 2);
    client.close();
    harness.settle();
    expect(openFds()).toBe(before - 2);
  });

  it('closes those of half a message that stalls when the rest of it comes and takes none', () => {
    const request = regionReadRequest(0, 0, 1);
    client.send(request.subarray(0, 20), fds.slice(0, 4));
    harness.settle();
    client.send(request.subarray(20), fds.slice(0, 4));
    harness.settle();
    expect(client.receive()?.length).toBe(33);
    expect(openFds()).toBe(before);
  });

  it('closes those of a function that throws', () => {
    pciFunction.readBar = () => {
      throw new Error('bad day');
    };
    client.send(regionReadRequest(0, 0, 1), fds.slice(0, 16));
    harness.settle();
    expect(openFds()).toBe(before - 1);
  });
});

describe('an interrupt', () => {
  it('is signalled on an eventfd alone: nobody else may make the server wait', () => {
    const file = openSync(harness.path('file'), 'w+');
    before = openFds();
    for (const sent of [[file], [client.fd]]) {
      expect(errnoOf(harness.ask(client, setIrqsRequest(0x24, 2, 0, 1), sent))).toBe(EINVAL);
    }
    expect(errnoOf(harness.ask(client, setIrqsRequest(0x24, 2, 0, 2), [fds[0]!, file]))).toBe(
      EINVAL,
    );
    expect(openFds()).toBe(before);
    closeFd(file);
  });
});

it('before VERSION nothing is kept', () => {
  client.close();
  harness.settle();
  const early = harness.connect();
  const ram = memfd(0x1000);
  before = openFds();
  for (const request of [setIrqsRequest(0x24, 2, 0, 2), dmaMapRequest(0, 0x1000, 3)]) {
    expect(errnoOf(harness.ask(early, request, [fds[0]!, ram]))).toBe(EINVAL);
  }
  expect(errnoOf(harness.ask(early, message(1, 98, new Uint8Array()), fds.slice(0, 9)))).toBe(
    ENOTSUP,
  );
  expect(openFds()).toBe(before);
  closeFd(ram);
});
