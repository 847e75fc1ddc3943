/** Descriptors of devices' backends that wake the server's thread. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { PollSource } from './poll-source.ts';
import { Harness } from './testing-client/harness.ts';
import { dmaMapRequest } from './testing-client/requests.ts';
import { closeFd, eventfd, signal } from './testing-client/test-client.ts';

let harness: Harness;
let source: FakeSource;

/** An eventfd that a test writes: readable when it was, and always writable. */
class FakeSource implements PollSource {
  fd = eventfd();
  reads = true;
  writes = false;
  readonly told: [boolean, boolean][] = [];

  wantsRead(): boolean {
    return this.reads;
  }

  wantsWrite(): boolean {
    return this.writes;
  }

  ready(readable: boolean, writable: boolean): void {
    this.told.push([readable, writable]);
    this.reads = false;
    this.writes = false;
  }
}

beforeEach(() => {
  harness = new Harness();
  source = new FakeSource();
});
afterEach(() => {
  harness.close();
  closeFd(source.fd);
});

it('wake it up, and the functions work', () => {
  const pciFunction = harness.listen();
  harness.negotiated();
  harness.server.watch(source);
  let turns = 0;
  pciFunction.work = () => {
    turns += 1;
    return false;
  };
  signal(source.fd);
  const start = performance.now();
  harness.server.poll(10_000);
  expect(performance.now() - start).toBeLessThan(5_000);
  expect(source.told).toEqual([[true, false]]);
  expect(turns).toBeGreaterThan(0);
});

it('are told of what they asked for alone', () => {
  harness.server.watch(source);
  signal(source.fd);
  source.reads = false;
  harness.server.poll(0);
  expect(source.told).toEqual([]);
  source.writes = true;
  harness.server.poll(0);
  source.reads = true;
  source.writes = true;
  harness.server.poll(0);
  expect(source.told).toEqual([
    [false, true],
    [true, true],
  ]);
});

it('work in each round before the functions, and are called again when they want to be', () => {
  const pciFunction = harness.listen();
  harness.negotiated();
  const order: string[] = [];
  const again = [-1, 20];
  harness.server.watch({
    fd: -1,
    wantsRead: () => false,
    wantsWrite: () => false,
    ready() {},
    work: () => {
      order.push('source');
      return again.shift() ?? -1;
    },
  });
  pciFunction.work = () => {
    order.push('function');
    return false;
  };
  harness.server.poll(0);
  expect(order[0]).toBe('source');
  const start = performance.now();
  harness.server.poll(10_000);
  const waited = performance.now() - start;
  expect([order.filter((name) => name === 'source').length, waited > 15, waited < 5_000]).toEqual([
    2,
    true,
    true,
  ]);
});

it('without a descriptor are passed over', () => {
  const { fd } = source;
  harness.server.watch(source);
  signal(fd);
  source.fd = -1;
  harness.server.poll(0);
  expect(source.told).toEqual([]);
  source.fd = fd;
});

it('keep their places among functions that come later', () => {
  harness.server.watch(source);
  harness.listen();
  const other = new FakeSource();
  harness.server.watch(other);
  signal(other.fd);
  const client = harness.negotiated();
  expect(harness.ask(client, dmaMapRequest(0, 0x1000, 3))?.length).toBe(16);
  expect([source.told, other.told]).toEqual([[], [[true, false]]]);
  closeFd(other.fd);
});

it('are limited, as functions are', () => {
  const watch = () => {
    for (let count = 0; count < 600; count += 1) harness.server.watch(source);
  };
  expect(watch).toThrow(expect.objectContaining({ code: 'TOO_MANY_FUNCTIONS' }));
  expect(() => harness.listen()).toThrow(expect.objectContaining({ code: 'TOO_MANY_FUNCTIONS' }));
});

it('cannot be added to a server that is closed', () => {
  harness.server.close();
  expect(() => harness.server.watch(source)).toThrow(expect.objectContaining({ code: 'CLOSED' }));
});
