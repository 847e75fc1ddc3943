/** Each command at byte level; every number is written out from the protocol's tables. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FakePciFunction } from '../testing-client/fake-pci-function.ts';
import { Harness } from '../testing-client/harness.ts';
import {
  concat,
  fields,
  message,
  type TestClient,
  versionRequest,
} from '../testing-client/test-client.ts';

let harness: Harness;
let pciFunction: FakePciFunction;
let client: TestClient;

beforeEach(() => {
  harness = new Harness();
  pciFunction = harness.listen();
  client = harness.negotiated();
  pciFunction.takeCalls();
});

afterEach(() => {
  harness.close();
});

function errorReply(id: number, command: number, errno: number): Uint8Array {
  return fields([2, id], [2, command], [4, 16], [4, 0x21], [4, errno]);
}

function reply(id: number, command: number, body: Uint8Array = new Uint8Array()): Uint8Array {
  return concat(fields([2, id], [2, command], [4, 16 + body.length], [4, 1], [4, 0]), body);
}

function regionRead(offset: number | bigint, region: number, count: number): Uint8Array {
  return message(7, 9, fields([8, offset], [4, region], [4, count]));
}

describe('VERSION', () => {
  it('answers with a subset of the capabilities, not longer than the request, with a NUL', () => {
    harness.listen('b.sock');
    const request = versionRequest();
    const answer = harness.ask(harness.connect('b.sock'), request)!;
    expect(answer.subarray(0, 4)).toEqual(fields([2, 1], [2, 1]));
    expect(answer.length).toBeLessThanOrEqual(request.length);
    expect(answer.at(-1)).toBe(0);
    expect(answer.subarray(16, 20)).toEqual(fields([2, 0], [2, 0]));
    expect(JSON.parse(new TextDecoder().decode(answer.subarray(20, -1)))).toEqual({
      capabilities: { max_msg_fds: 16, max_data_xfer_size: 1048576, write_multiple: true },
    });
  });

  it('does not offer write_multiple unasked, nor JSON that does not fit', () => {
    harness.listen('b.sock');
    const answer = harness.ask(harness.connect('b.sock'), versionRequest('{"capabilities":{}}'))!;
    expect(answer).toEqual(reply(1, 1, fields([2, 0], [2, 0])));
  });

  it('refuses another major version, JSON that is none, and a second VERSION', () => {
    harness.listen('b.sock');
    const other = harness.connect('b.sock');
    const major1 = message(1, 1, fields([2, 1], [2, 0]));
    expect(harness.ask(other, major1)).toEqual(errorReply(1, 1, 22));
    expect(harness.ask(other, versionRequest('{'))).toEqual(errorReply(1, 1, 22));
    expect(harness.ask(other, versionRequest('[]'))).toEqual(errorReply(1, 1, 22));
    expect(harness.ask(client, versionRequest())).toEqual(errorReply(1, 1, 22));
  });

  it('must come first', () => {
    harness.listen('b.sock');
    const request = message(9, 4, fields([4, 16], [4, 0], [4, 0], [4, 0]));
    expect(harness.ask(harness.connect('b.sock'), request)).toEqual(errorReply(9, 4, 22));
  });
});

describe('information', () => {
  it('GET_INFO: a PCI device with reset, 9 regions, 5 interrupt types', () => {
    const request = message(2, 4, fields([4, 16], [4, 0], [4, 0], [4, 0]));
    expect(harness.ask(client, request)).toEqual(
      reply(2, 4, fields([4, 16], [4, 3], [4, 9], [4, 5])),
    );
  });

  it.each([
    [0, 3, 16384],
    [1, 3, 4096],
    [2, 0, 0],
    [6, 0, 0],
    [7, 3, 256],
    [8, 0, 0],
  ])('GET_REGION_INFO %i', (index, flags, size) => {
    const request = message(3, 5, fields([4, 32], [4, 0], [4, index], [4, 0], [8, 0], [8, 0]));
    expect(harness.ask(client, request)).toEqual(
      reply(3, 5, fields([4, 32], [4, flags], [4, index], [4, 0], [8, size], [8, 0])),
    );
  });

  it('GET_REGION_INFO of a region that cannot be', () => {
    const request = message(3, 5, fields([4, 32], [4, 0], [4, 9], [4, 0], [8, 0], [8, 0]));
    expect(harness.ask(client, request)).toEqual(errorReply(3, 5, 22));
  });

  it.each([
    [0, 7, 1],
    [1, 0, 0],
    [2, 9, 4],
    [3, 0, 0],
    [4, 0, 0],
  ])('GET_IRQ_INFO %i', (index, flags, count) => {
    const request = message(4, 7, fields([4, 16], [4, 0], [4, index], [4, 0]));
    expect(harness.ask(client, request)).toEqual(
      reply(4, 7, fields([4, 16], [4, flags], [4, index], [4, count])),
    );
  });
});

describe('regions', () => {
  it('reads a BAR as the guest does, one access', () => {
    pciFunction.bar[0]!.set([0x11, 0x22, 0x33, 0x84], 0x1000);
    expect(harness.ask(client, regionRead(0x1000, 0, 4))).toEqual(
      reply(7, 9, fields([8, 0x1000], [4, 0], [4, 4], [4, 0x84332211])),
    );
    expect(pciFunction.takeCalls()).toEqual(['readBar 0 +4096 4']);
  });

  it('reads all of configuration space', () => {
    pciFunction.config.set([0xf4, 0x1a, 0x57, 0x10]);
    pciFunction.config[255] = 0x99;
    const answer = harness.ask(client, regionRead(0, 7, 256))!;
    expect(answer.length).toBe(32 + 256);
    expect(answer.subarray(32)).toEqual(pciFunction.config);
    expect(pciFunction.takeCalls().length).toBe(64);
  });

  it('splits other widths into aligned accesses', () => {
    harness.ask(client, regionRead(8, 0, 8));
    expect(pciFunction.takeCalls()).toEqual(['readBar 0 +8 4', 'readBar 0 +12 4']);
    harness.ask(client, regionRead(1, 0, 7));
    expect(pciFunction.takeCalls()).toEqual(['readBar 0 +1 1', 'readBar 0 +2 2', 'readBar 0 +4 4']);
    const body = concat(fields([8, 6], [4, 1], [4, 3]), new Uint8Array([1, 2, 3]));
    expect(harness.ask(client, message(8, 10, body))).toEqual(
      reply(8, 10, fields([8, 6], [4, 1], [4, 3])),
    );
    expect(pciFunction.takeCalls()).toEqual(['writeBar 1 +6 2 0x201', 'writeBar 1 +8 1 0x3']);
  });

  it('writes configuration space, and answers', () => {
    const body = fields([8, 4], [4, 7], [4, 2], [2, 0x0106]);
    expect(harness.ask(client, message(8, 10, body))).toEqual(
      reply(8, 10, fields([8, 4], [4, 7], [4, 2])),
    );
    expect(pciFunction.takeCalls()).toEqual(['writeConfig +4 2 0x106']);
  });

  it('does not answer a posted write', () => {
    const body = fields([8, 0x3000], [4, 0], [4, 2], [2, 1]);
    expect(harness.ask(client, message(8, 10, body, 0x10))).toBeUndefined();
    expect(pciFunction.takeCalls()).toEqual(['writeBar 0 +12288 2 0x1']);
  });

  it('does not answer a posted write that is wrong', () => {
    const body = fields([8, 0x4000], [4, 0], [4, 2], [2, 1]);
    expect(harness.ask(client, message(8, 10, body, 0x10))).toBeUndefined();
    expect(pciFunction.takeCalls()).toEqual([]);
    expect(harness.complaints).toEqual([]);
  });

  it.each([
    ['beyond the end', 16381, 0, 4],
    ['far beyond', 0xffff_ffff_ffff_ffffn, 0, 1],
    ['of no bytes', 0, 0, 0],
    ['of a region without bytes', 0, 6, 1],
    ['of a region that cannot be', 0, 0xffffffff, 1],
    ['of too many bytes', 0, 0, 0xffffffff],
    ['beyond configuration space', 256, 7, 1],
  ])('refuses a read %s, and goes on', (_what, offset, region, count) => {
    expect(harness.ask(client, regionRead(offset, region, count))).toEqual(errorReply(7, 9, 22));
    expect(harness.ask(client, regionRead(0, 0, 1))?.length).toBe(33);
  });

  it('refuses a write whose count is not its size', () => {
    const body = fields([8, 0], [4, 0], [4, 4], [2, 1]);
    expect(harness.ask(client, message(8, 10, body))).toEqual(errorReply(8, 10, 22));
    expect(harness.ask(client, message(8, 10, new Uint8Array(3)))).toEqual(errorReply(8, 10, 22));
    expect(pciFunction.takeCalls()).toEqual([]);
  });

  it('REGION_WRITE_MULTI: each write in order, no answer', () => {
    const body = concat(
      fields([8, 2]),
      fields([8, 0x3004], [4, 0], [4, 2], [8, 1]),
      fields([8, 0x10], [4, 1], [4, 8], [8, 0x8877665544332211n]),
    );
    expect(body.length).toBe(8 + 24 * 2);
    expect(harness.ask(client, message(5, 15, body, 0x10))).toBeUndefined();
    expect(pciFunction.takeCalls()).toEqual([
      'writeBar 0 +12292 2 0x1',
      'writeBar 1 +16 4 0x44332211',
      'writeBar 1 +20 4 0x88776655',
    ]);
    expect(harness.ask(client, message(5, 15, body))).toEqual(reply(5, 15, fields([8, 2])));
  });

  it('REGION_WRITE_MULTI: refuses a count that is not its size, or too large', () => {
    const one = fields([8, 0], [4, 0], [4, 2], [8, 1]);
    const many = Array.from({ length: 201 }, () => one);
    for (const body of [
      concat(fields([8, 2]), one),
      fields([8, 0]),
      fields([4, 0]),
      concat(fields([8, 201]), ...many),
      concat(fields([8, 1]), fields([8, 0], [4, 0], [4, 9], [8, 1])),
    ]) {
      expect(harness.ask(client, message(5, 15, body))).toEqual(errorReply(5, 15, 22));
    }
    expect(pciFunction.takeCalls()).toEqual([]);
  });
});

describe('RESET and the rest', () => {
  it('resets the function', () => {
    expect(harness.ask(client, message(6, 13, new Uint8Array()))).toEqual(reply(6, 13));
    expect(harness.ask(client, message(7, 13, new Uint8Array()))).toEqual(reply(7, 13));
    expect(pciFunction.takeCalls()).toEqual(['reset', 'reset']);
  });

  it.each([0, 6, 11, 14, 16, 17, 18, 65535])('does not know command %i', (command) => {
    const request = message(0xabcd, command, new Uint8Array(24));
    expect(harness.ask(client, request)).toEqual(errorReply(0xabcd, command, 95));
  });

  it('answers first, and lets the function work afterwards', () => {
    let answered = false;
    pciFunction.work = () => {
      answered ||= client.receive() !== undefined;
      return false;
    };
    client.send(message(6, 13, new Uint8Array()));
    harness.server.poll(0);
    pciFunction.work = () => false;
    expect(answered).toBe(true);
  });
});
