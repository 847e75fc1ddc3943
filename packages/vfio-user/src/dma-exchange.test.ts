/**
 * Memory that the client does not share, by messages. The server waits for the client within `service`, so here the
 * client acts from within a register read of a second function, which the server answers while it waits.
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { FakePciFunction } from './testing-client/fake-pci-function.ts';
import { Harness } from './testing-client/harness.ts';
import {
  dmaMapRequest,
  dmaUnmapRequest,
  postedWriteRequest,
  regionReadRequest,
} from './testing-client/requests.ts';
import {
  concat,
  fields,
  message,
  type TestClient,
  versionRequest,
} from './testing-client/test-client.ts';

let harness: Harness;
let pciFunction: FakePciFunction;
let helper: FakePciFunction;
let client: TestClient;
let helperClient: TestClient;
/** What the client got while the server waited. */
let got: Uint8Array[];

beforeEach(() => {
  harness = new Harness(100);
  pciFunction = harness.listen();
  helper = harness.listen('b.sock');
  helperClient = harness.negotiated('b.sock');
  client = harness.connect();
  const small = '{"capabilities":{"max_data_xfer_size":16}}'.padEnd(100);
  harness.ask(client, versionRequest(small));
  harness.ask(client, dmaMapRequest(0x1000, 0x1000, 3));
  harness.ask(client, dmaMapRequest(0x2000, 0x1000, 1));
  pciFunction.takeCalls();
  got = [];
});

afterEach(() => {
  harness.close();
});

/** Lets the function do `work` once, and the client answer what comes meanwhile by `answer`. */
function serve(work: () => void, answer: (request: Uint8Array) => Uint8Array | undefined): void {
  helper.readBar = () => {
    const request = client.receive();
    if (request !== undefined) {
      got.push(request);
      const reply = answer(request);
      if (reply !== undefined) {
        client.send(reply);
      }
    }
    // Keeps the helper called until the server waits no more.
    helperClient.receive();
    if (working) {
      helperClient.send(regionReadRequest(0, 0, 1));
    }
    return 0;
  };
  let working = true;
  pciFunction.work = () => {
    pciFunction.work = () => false;
    helperClient.send(regionReadRequest(0, 0, 1));
    work();
    working = false;
    return false;
  };
  harness.settle();
}

/** Acts as memory whose bytes are the low bytes of their addresses. */
function answerRead(request: Uint8Array): Uint8Array {
  const view = new DataView(request.buffer);
  const address = view.getUint32(16, true);
  const count = view.getUint32(24, true);
  const data = Uint8Array.from({ length: count }, (_, index) => address + index);
  return message(view.getUint16(0, true), 11, concat(request.subarray(16, 32), data), 1);
}

it('DMA_READ, in parts that the client allows', () => {
  const target = new Uint8Array(42).fill(0xff);
  let succeeded = false;
  serve(() => {
    succeeded = pciFunction.host!.memory.read(0x1010, target, 1, 40);
  }, answerRead);
  expect(succeeded).toBe(true);
  expect([...target]).toEqual([
    0xff,
    ...Array.from({ length: 40 }, (_, index) => 0x10 + index),
    0xff,
  ]);
  expect(got).toEqual([
    message(0x8000, 11, fields([8, 0x1010], [8, 16])),
    message(0x8001, 11, fields([8, 0x1020], [8, 16])),
    message(0x8002, 11, fields([8, 0x1030], [8, 8])),
  ]);
});

it('DMA_WRITE, in parts that the client allows', () => {
  const source = Uint8Array.from({ length: 20 }, (_, index) => 0x40 + index);
  let succeeded = false;
  serve(
    () => {
      succeeded = pciFunction.host!.memory.write(0x1ff0 - 2, source, 2, 18);
    },
    (request) =>
      fields(
        [2, new DataView(request.buffer).getUint16(0, true)],
        [2, 12],
        [4, 16],
        [4, 1],
        [4, 0],
      ),
  );
  expect(succeeded).toBe(true);
  expect(got).toEqual([
    message(0x8000, 12, concat(fields([8, 0x1fee], [8, 16]), source.subarray(2, 18))),
    message(0x8001, 12, concat(fields([8, 0x1ffe], [8, 2]), source.subarray(18, 20))),
  ]);
});

it('an error reply fails the access only', () => {
  let succeeded = true;
  serve(
    () => {
      succeeded = pciFunction.host!.memory.read(0x1000, new Uint8Array(4), 0, 4);
    },
    () => fields([2, 0x8000], [2, 11], [4, 16], [4, 0x21], [4, 14]),
  );
  expect(succeeded).toBe(false);
  expect(harness.complaints).toEqual([]);
  expect(harness.ask(client, regionReadRequest(0, 0, 1))?.length).toBe(33);
});

it('no message for what is not mapped or not allowed', () => {
  const results: boolean[] = [];
  serve(() => {
    const { memory } = pciFunction.host!;
    results.push(memory.read(0x3000, new Uint8Array(1), 0, 1));
    results.push(memory.write(0x2000, new Uint8Array(1), 0, 1));
  }, answerRead);
  expect(results).toEqual([false, false]);
  expect(got).toEqual([]);
});

it('requests that arrive meanwhile are answered, in order', () => {
  let succeeded = false;
  const data = new Uint8Array(1);
  serve(
    () => {
      client.send(postedWriteRequest(0x3000, 0, 7));
      client.send(regionReadRequest(0x3000, 0, 4));
      succeeded = pciFunction.host!.memory.read(0x1044, data, 0, 1);
    },
    (request) => {
      const dmaRead = request.subarray(0, 32);
      return request.length > 32 ? answerRead(dmaRead.slice()) : answerRead(request);
    },
  );
  expect(succeeded).toBe(true);
  expect(data[0]).toBe(0x44);
  expect(pciFunction.takeCalls()).toEqual(['writeBar 0 +12288 4 0x7', 'readBar 0 +12288 4']);
  const sent = concat(...got, client.receive() ?? new Uint8Array());
  const reply = concat(
    fields([2, 9], [2, 9], [4, 36], [4, 1], [4, 0]),
    fields([8, 0x3000], [4, 0], [4, 4], [4, 7]),
  );
  expect(sent).toEqual(concat(message(0x8000, 11, fields([8, 0x1044], [8, 1])), reply));
});

it('a reset that arrives meanwhile fails the access, and comes when the function has returned', () => {
  let succeeded = true;
  let callsWithin: string[] = [];
  serve(
    () => {
      client.send(message(5, 13, new Uint8Array()));
      succeeded = pciFunction.host!.memory.read(0x1000, new Uint8Array(1), 0, 1);
      expect(pciFunction.host!.memory.read(0x1000, new Uint8Array(1), 0, 1)).toBe(false);
      callsWithin = pciFunction.takeCalls();
    },
    () => undefined,
  );
  expect(succeeded).toBe(false);
  expect(callsWithin).toEqual([]);
  expect(pciFunction.takeCalls()).toEqual(['reset']);
  const dmaRead = message(0x8000, 11, fields([8, 0x1000], [8, 1]));
  expect(concat(...got, client.receive() ?? new Uint8Array())).toEqual(
    concat(dmaRead, fields([2, 5], [2, 13], [4, 16], [4, 1], [4, 0])),
  );
  // The reply to the access that was given up is no offence.
  expect(harness.ask(client, answerRead(dmaRead))).toBeUndefined();
  expect(harness.ask(client, regionReadRequest(0, 0, 1))?.length).toBe(33);
  expect(harness.complaints).toEqual([]);
});

it('what is received with such a reset is answered after it', () => {
  serve(
    () => {
      client.send(message(5, 13, new Uint8Array()));
      client.send(regionReadRequest(0, 0, 1));
      pciFunction.host!.memory.read(0x1000, new Uint8Array(1), 0, 1);
    },
    () => undefined,
  );
  expect(pciFunction.takeCalls()).toEqual(['reset', 'readBar 0 +0 1']);
  const received = concat(...got, client.receive() ?? new Uint8Array());
  expect(received.length).toBe(32 + 16 + 33);
});

it('an UNMAP that arrives meanwhile ends the access where it is', () => {
  let succeeded = true;
  serve(
    () => {
      client.send(dmaUnmapRequest(0x2000, 0x1000));
      succeeded = pciFunction.host!.memory.read(0x1ff8, new Uint8Array(16), 0, 16);
    },
    (request) => answerRead(request.slice(0, 32)),
  );
  expect(succeeded).toBe(false);
  expect(harness.complaints).toEqual([]);
});

it('a client that does not answer loses its connection, with one line', () => {
  let succeeded = true;
  const start = performance.now();
  serve(
    () => {
      succeeded = pciFunction.host!.memory.read(0x1000, new Uint8Array(1), 0, 1);
    },
    () => undefined,
  );
  expect(succeeded).toBe(false);
  expect(performance.now() - start).toBeLessThan(2000);
  expect(harness.complaints.length).toBe(1);
  expect(harness.complaints[0]).toContain('DMA_READ within 100 ms');
  expect(pciFunction.takeCalls()).toEqual(['disconnect']);
});

it('a client that leaves meanwhile fails the access, and is dropped after it', () => {
  let succeeded = true;
  serve(
    () => {
      client.close();
      succeeded = pciFunction.host!.memory.read(0x1000, new Uint8Array(1), 0, 1);
      expect(pciFunction.takeCalls()).toEqual([]);
    },
    () => undefined,
  );
  expect(succeeded).toBe(false);
  expect(pciFunction.takeCalls()).toEqual(['disconnect']);
});

it.each([
  [
    'of the wrong length',
    message(0x8000, 11, concat(fields([8, 0x1000], [8, 4]), new Uint8Array(3)), 1),
  ],
  [
    'of two',
    concat(message(0x8000, 11, new Uint8Array(20), 1), message(0x8000, 11, new Uint8Array(20), 1)),
  ],
])('a reply %s ends the connection', (_what, reply) => {
  serve(
    () => {
      pciFunction.host!.memory.read(0x1000, new Uint8Array(4), 0, 4);
    },
    () => reply,
  );
  expect(harness.complaints.length).toBe(1);
  expect(harness.complaints[0]).toContain('a.sock');
});

it('a kick that comes meanwhile for a function that had its turn is worked on without another message', () => {
  const harness = new Harness(1000);
  const first = harness.listen('first.sock');
  const second = harness.listen('second.sock');
  const firstClient = harness.negotiated('first.sock');
  const secondClient = harness.negotiated('second.sock');
  harness.ask(secondClient, dmaMapRequest(0x1000, 0x1000, 3));

  let kicked = false;
  let worked = false;
  first.work = () => {
    worked ||= kicked;
    return false;
  };
  first.readBar = () => {
    kicked = true;
    secondClient.send(answerRead(secondClient.receive()!));
    return 0;
  };
  let turns = 0;
  second.work = () => {
    turns += 1;
    // In the second and last turn of the round, when the first function has had both of its own.
    if (turns === 2) {
      firstClient.send(regionReadRequest(0, 0, 1));
      expect(second.host!.memory.read(0x1000, new Uint8Array(1), 0, 1)).toBe(true);
    }
    return false;
  };
  harness.server.poll(0);
  expect([kicked, worked]).toEqual([true, false]);
  harness.server.poll(-1);
  expect(worked).toBe(true);
  harness.close();
});

it('one function reaches memory through another, as a fault report does, but not while a request is answered', () => {
  const results: boolean[] = [];
  const { memory } = helper.host!;
  harness.ask(helperClient, dmaMapRequest(0x1000, 0x1000, 3));
  const byte = new Uint8Array(1);
  helper.readBar = () => {
    results.push(memory.read(0x1080, byte, 0, 1));
    return 0;
  };
  pciFunction.readBar = () => {
    const request = helperClient.receive()!;
    helperClient.send(regionReadRequest(0, 0, 1));
    helperClient.send(answerRead(request));
    return 0;
  };
  pciFunction.work = () => {
    pciFunction.work = () => false;
    client.send(regionReadRequest(0, 0, 1));
    results.push(memory.read(0x1044, byte, 0, 1));
    return false;
  };
  harness.settle();
  expect(results).toEqual([false, true]);
  expect(byte[0]).toBe(0x44);
});
