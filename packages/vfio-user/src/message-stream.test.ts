/** Messages that are broken, cut or slow: the connection may end, with one line, and the others go on. */
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FakePciFunction } from './testing-client/fake-pci-function.ts';
import { Harness } from './testing-client/harness.ts';
import {
  dmaMapRequest,
  errnoOf,
  regionReadRequest,
  setIrqsRequest,
} from './testing-client/requests.ts';
import {
  closeFd,
  eventfd,
  fields,
  message,
  signals,
  type TestClient,
  versionRequest,
} from './testing-client/test-client.ts';

let harness: Harness;
let pciFunction: FakePciFunction;
let client: TestClient;
let bystander: TestClient;

beforeEach(() => {
  harness = new Harness();
  pciFunction = harness.listen();
  harness.listen('b.sock');
  client = harness.negotiated();
  bystander = harness.negotiated('b.sock');
});

afterEach(() => {
  expect(harness.ask(bystander, regionReadRequest(0, 0, 1))?.length).toBe(33);
  harness.close();
});

const openFds = () => readdirSync('/proc/self/fd').length;

function expectClosedWithOneLine(containing: string): void {
  harness.settle();
  expect(client.receive()?.length).toBe(0);
  expect(harness.complaints.length).toBe(1);
  expect(harness.complaints[0]).toContain('a.sock');
  expect(harness.complaints[0]).toContain(containing);
}

describe('a connection ends at', () => {
  it.each([0, 15, 1048609, 0xffffffff])('a size of %i', (size) => {
    client.send(fields([2, 1], [2, 9], [4, size], [4, 0], [4, 0]));
    expectClosedWithOneLine(`${size} bytes`);
  });

  it('an unknown type', () => {
    client.send(message(1, 9, new Uint8Array(16), 2));
    expectClosedWithOneLine('type 2');
  });

  it('a reply that nothing was asked for', () => {
    client.send(message(0x8000, 11, new Uint8Array(16), 1));
    expectClosedWithOneLine('reply');
  });

  it('its end within a message', () => {
    client.send(regionReadRequest(0, 0, 1).subarray(0, 20));
    harness.settle();
    client.close();
    harness.settle();
    expect(harness.complaints.length).toBe(1);
    expect(harness.complaints[0]).toContain('within a message');
  });

  it('more descriptors than are allowed', () => {
    const fd = eventfd();
    client.send(message(6, 13, new Uint8Array()), new Array(17).fill(fd));
    expectClosedWithOneLine('file descriptors');
    closeFd(fd);
  });
});

describe('a slow client', () => {
  it('is served when its message is whole, byte by byte', () => {
    const request = regionReadRequest(0, 0, 2);
    for (let at = 0; at < request.length - 1; at++) {
      expect(harness.ask(client, request.subarray(at, at + 1))).toBeUndefined();
      expect(harness.ask(bystander, regionReadRequest(0, 0, 1))?.length).toBe(33);
    }
    expect(harness.ask(client, request.subarray(-1))?.length).toBe(34);
    expect(harness.ask(client, request)?.length).toBe(34);
  });

  it('that does not read its replies is not read either, and loses nothing', () => {
    const request = regionReadRequest(0, 0, 16384);
    const sent = 200;
    for (let index = 0; index < sent; index++) {
      expect(client.send(request)).toBe(32);
    }
    harness.settle(sent + 10);
    expect(harness.ask(bystander, regionReadRequest(0, 0, 1))?.length).toBe(33);
    let received = 0;
    for (let round = 0; round < 4 * sent; round++) {
      received += client.receive()?.length ?? 0;
      harness.server.poll(0);
    }
    expect(received).toBe(sent * (32 + 16384));
    expect(harness.complaints).toEqual([]);
  });
});

describe('many messages at once', () => {
  it('are answered in order', () => {
    const first = regionReadRequest(0, 0, 1);
    const both = new Uint8Array([...first, ...regionReadRequest(0, 0, 2)]);
    expect(harness.ask(client, both)?.length).toBe(33 + 34);
  });
});

describe('messages that are received together', () => {
  const trigger = setIrqsRequest(0x24, 0, 0, 1);
  const withoutMemory = dmaMapRequest(0x1000, 0x1000, 3);

  it.each([1, 2, 3])('each keep their descriptors, %i behind another', (behind) => {
    const fd = eventfd();
    for (let index = 0; index < behind; index++) {
      client.send(regionReadRequest(0, 0, 1));
    }
    client.send(trigger, [fd]);
    client.send(regionReadRequest(0, 0, 1));
    harness.settle(8);
    expect(client.receive()?.length).toBe(33 * behind + 16 + 33);
    pciFunction.host!.setIntx(true);
    expect(signals(fd)).toBe(1);
    closeFd(fd);
  });

  it('leave no descriptor open when the last is refused', () => {
    const fd = eventfd();
    client.send(regionReadRequest(0, 0, 1));
    client.send(withoutMemory, [fd, fd]);
    const before = openFds();
    harness.settle(6);
    const replies = client.receive()!;
    expect(errnoOf(replies.subarray(33))).toBe(22);
    expect(openFds()).toBe(before);
    closeFd(fd);
  });

  it('are answered without another wake-up, and the last when the rest of it comes', () => {
    const last = regionReadRequest(0, 0, 4);
    client.send(
      new Uint8Array([...trigger, ...regionReadRequest(0, 0, 2), ...last.subarray(0, 20)]),
    );
    for (let round = 0; round < 2; round++) {
      harness.server.poll(-1);
    }
    expect(client.receive()?.length).toBe(16 + 34);
    expect(harness.ask(client, last.subarray(20))?.length).toBe(36);
  });
});

/** A small generator with a seed, so that a failure can be repeated (xorshift32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

describe('noise', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('of seed %i never stops the server', (seed) => {
    const next = random(seed * 7919);
    const fd = eventfd();
    for (let round = 0; round < 300; round++) {
      if (client.receive()?.length === 0) {
        client.close();
        client = harness.connect();
        if (next(4) !== 0) {
          harness.ask(client, versionRequest());
        }
      }
      const body = Uint8Array.from({ length: next(80) }, () =>
        next(3) === 0 ? next(256) : next(4),
      );
      const bytes = message(next(65536), next(20), body, [0, 0, 0, 0x10, 1, next(64)][next(6)]!);
      if (next(20) === 0) {
        bytes[next(bytes.length)] = next(256);
      }
      const fds = next(3) === 0 ? new Array(1 + next(18)).fill(fd) : [];
      harness.ask(client, next(30) === 0 ? bytes.subarray(0, 1 + next(bytes.length)) : bytes, fds);
    }
    closeFd(fd);
    // A connection that ended has one line, and nothing else has any.
    expect(harness.complaints.every((line) => line.includes('a.sock'))).toBe(true);
  });
});
