/** SET_IRQS at byte level, and when an eventfd is signalled. */
import { writeSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FakePciFunction } from './testing-client/fake-pci-function.ts';
import { Harness } from './testing-client/harness.ts';
import { errnoOf, setIrqsRequest } from './testing-client/requests.ts';
import {
  closeFd,
  concat,
  eventfd,
  fields,
  message,
  signals,
  type TestClient,
} from './testing-client/test-client.ts';

let harness: Harness;
let pciFunction: FakePciFunction;
let client: TestClient;
let fds: number[];

beforeEach(() => {
  harness = new Harness();
  pciFunction = harness.listen();
  client = harness.negotiated();
  fds = [eventfd(), eventfd(), eventfd(), eventfd()];
});

afterEach(() => {
  harness.close();
  fds.forEach(closeFd);
});

function setIrqs(flags: number, index: number, start: number, count: number, sent: number[] = []) {
  const reply = harness.ask(client, setIrqsRequest(flags, index, start, count), sent);
  expect(reply!.length).toBe(16);
  return errnoOf(reply);
}

describe('INTx', () => {
  beforeEach(() => {
    expect(setIrqs(0x24, 0, 0, 1, [fds[0]!])).toBe(0);
  });

  it('masks itself after each signal, until UNMASK', () => {
    const host = pciFunction.host!;
    host.setIntx(true);
    expect(signals(fds[0]!)).toBe(1);
    host.setIntx(false);
    host.setIntx(true);
    expect(signals(fds[0]!)).toBe(0);
    host.setIntx(false);
    expect(setIrqs(0x11, 0, 0, 1)).toBe(0);
    expect(signals(fds[0]!)).toBe(0);
    host.setIntx(true);
    expect(signals(fds[0]!)).toBe(1);
  });

  it('is a level: still asserted at UNMASK, it is signalled again', () => {
    pciFunction.host!.setIntx(true);
    expect(signals(fds[0]!)).toBe(1);
    setIrqs(0x11, 0, 0, 1);
    expect(signals(fds[0]!)).toBe(1);
    setIrqs(0x11, 0, 0, 1);
    expect(signals(fds[0]!)).toBe(1);
  });

  it('MASK holds it back', () => {
    expect(setIrqs(0x09, 0, 0, 1)).toBe(0);
    pciFunction.host!.setIntx(true);
    expect(signals(fds[0]!)).toBe(0);
    setIrqs(0x11, 0, 0, 1);
    expect(signals(fds[0]!)).toBe(1);
  });

  it('asserted without an eventfd, it is signalled when one comes', () => {
    expect(setIrqs(0x21, 0, 0, 0)).toBe(0);
    pciFunction.host!.setIntx(true);
    expect(signals(fds[0]!)).toBe(0);
    setIrqs(0x24, 0, 0, 1, [fds[1]!]);
    expect(signals(fds[0]!)).toBe(0);
    expect(signals(fds[1]!)).toBe(1);
  });

  it('is not asserted after a reset', () => {
    setIrqs(0x21, 0, 0, 0);
    pciFunction.host!.setIntx(true);
    harness.ask(client, message(6, 13, new Uint8Array()));
    setIrqs(0x24, 0, 0, 1, [fds[1]!]);
    expect(signals(fds[1]!)).toBe(0);
  });

  it('can be triggered by the client', () => {
    expect(setIrqs(0x21, 0, 0, 1)).toBe(0);
    expect(signals(fds[0]!)).toBe(1);
  });
});

describe('MSI-X', () => {
  it('signals the eventfd of the vector', () => {
    expect(setIrqs(0x24, 2, 0, 3, fds.slice(0, 3))).toBe(0);
    pciFunction.host!.signalMsix(1, 0, 0);
    pciFunction.host!.signalMsix(1, 0, 0);
    pciFunction.host!.signalMsix(2, 0, 0);
    expect(fds.map(signals)).toEqual([0, 2, 1, 0]);
  });

  it('sets vectors from `start` on, and leaves the others', () => {
    setIrqs(0x24, 2, 0, 2, fds.slice(0, 2));
    setIrqs(0x24, 2, 1, 2, fds.slice(2, 4));
    for (const vector of [0, 1, 2]) {
      pciFunction.host!.signalMsix(vector, 0, 0);
    }
    expect(fds.map(signals)).toEqual([1, 0, 1, 1]);
  });

  it('as Linux enables it: nothing is lost while QEMU tears the set down and sends it anew', () => {
    expect(setIrqs(0x24, 2, 0, 1)).toBe(0);
    expect(setIrqs(0x21, 2, 0, 0)).toBe(0);
    expect(setIrqs(0x24, 2, 0, 1, [fds[0]!])).toBe(0);
    pciFunction.host!.signalMsix(0, 0, 0);
    expect(signals(fds[0]!)).toBe(1);
    setIrqs(0x21, 2, 0, 0);
    pciFunction.host!.signalMsix(0, 0, 0);
    pciFunction.host!.signalMsix(1, 0, 0);
    expect(setIrqs(0x24, 2, 0, 2, [fds[2]!, fds[3]!])).toBe(0);
    expect(fds.map(signals)).toEqual([0, 0, 1, 1]);
    setIrqs(0x24, 2, 0, 2, [fds[0]!, fds[1]!]);
    expect(fds.map(signals)).toEqual([0, 0, 0, 0]);
  });

  it('forgets what waited at a reset', () => {
    pciFunction.host!.signalMsix(3, 0, 0);
    harness.ask(client, message(6, 13, new Uint8Array()));
    setIrqs(0x24, 2, 0, 4, fds);
    expect(fds.map(signals)).toEqual([0, 0, 0, 0]);
  });

  it('triggers the vectors whose boolean is set', () => {
    setIrqs(0x24, 2, 0, 4, fds);
    const body = concat(
      fields([4, 24], [4, 0x22], [4, 2], [4, 0], [4, 4]),
      new Uint8Array([0, 1, 0, 1]),
    );
    expect(errnoOf(harness.ask(client, message(8, 8, body)))).toBe(0);
    expect(fds.map(signals)).toEqual([0, 1, 0, 1]);
  });

  it('ignores a vector that does not exist', () => {
    pciFunction.host!.signalMsix(4, 0, 0);
    pciFunction.host!.signalMsix(-1, 0, 0);
    expect(harness.complaints).toEqual([]);
  });
});

it.each([
  ['an index that cannot be', 0x24, 5, 0, 1, 0],
  ['more vectors than there are', 0x24, 2, 3, 2, 2],
  ['a start beyond all', 0x24, 2, 0xffffffff, 1, 1],
  ['a count beyond all', 0x24, 2, 0, 0xffffffff, 0],
  ['fewer descriptors than interrupts', 0x24, 2, 0, 3, 2],
  ['eventfds for MASK', 0x0c, 0, 0, 1, 1],
  ['masking MSI-X', 0x09, 2, 0, 1, 0],
  ['two kinds of data', 0x23, 0, 0, 1, 0],
  ['two actions', 0x31, 0, 0, 1, 0],
  ['no action', 0x01, 0, 0, 1, 0],
  ['unknown flags', 0x61, 0, 0, 1, 0],
  ['the ERR interrupt, which there is not', 0x24, 3, 0, 1, 1],
])('refuses %s', (_what, flags, index, start, count, descriptors) => {
  expect(setIrqs(flags, index, start, count, fds.slice(0, descriptors))).toBe(22);
});

it('a storm of one vector is one interrupt that waits, however often it was signalled', () => {
  const host = pciFunction.host!;
  for (let signal = 0; signal < 100_000; signal += 1) host.signalMsix(1, 0, 0);
  expect(setIrqs(0x24, 2, 1, 1, [fds[1]!])).toBe(0);
  expect(signals(fds[1]!)).toBe(1);
});

it('does not block on a descriptor that is full', () => {
  setIrqs(0x24, 2, 0, 1, [fds[0]!]);
  const full = new BigUint64Array([0xffff_ffff_ffff_fffen]);
  expect(writeSync(fds[0]!, full)).toBe(8);
  pciFunction.host!.signalMsix(0, 0, 0);
  expect(harness.complaints).toEqual([]);
});
