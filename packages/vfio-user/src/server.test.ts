/** Sockets, clients that come and go, stopping, and fairness. */
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { requireLibc } from '@viommu/linux-io';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { VfioUserServer } from './server.ts';
import { requestStop } from './stop-handle.ts';
import { FakePciFunction } from './testing-client/fake-pci-function.ts';
import { Harness } from './testing-client/harness.ts';
import {
  dmaMapRequest,
  dmaUnmapRequest,
  postedWriteRequest,
  regionReadRequest,
  setIrqsRequest,
} from './testing-client/requests.ts';
import { closeFd, eventfd, memfd, message, versionRequest } from './testing-client/test-client.ts';

let harness: Harness;

beforeEach(() => {
  harness = new Harness();
});

afterEach(() => {
  harness.close();
});

function openFds(): number {
  return readdirSync('/proc/self/fd').length;
}

describe('listen', () => {
  it('makes a socket for its owner only', () => {
    const umask = process.umask();
    harness.listen();
    const status = statSync(harness.path('a.sock'));
    expect(status.isSocket()).toBe(true);
    expect(status.mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(umask);
  });

  it('says what is wrong with a path', () => {
    const tryPath = (path: string) => () => harness.server.listen(path, new FakePciFunction());
    writeFileSync(harness.path('file'), 'precious');
    mkdirSync(harness.path('folder'));
    expect(tryPath(harness.path('missing/a.sock'))).toThrow(
      expect.objectContaining({ name: 'VfioUserError', code: 'NO_DIRECTORY' }),
    );
    expect(tryPath(harness.path('file/a.sock'))).toThrow(
      expect.objectContaining({ code: 'NO_DIRECTORY' }),
    );
    expect(tryPath(harness.path('file/x/a.sock'))).toThrow(
      expect.objectContaining({ code: 'NO_DIRECTORY' }),
    );
    expect(tryPath(harness.path('file'))).toThrow(
      expect.objectContaining({ code: 'NOT_A_SOCKET' }),
    );
    expect(tryPath(harness.path('folder'))).toThrow(
      expect.objectContaining({ code: 'NOT_A_SOCKET' }),
    );
    expect(tryPath(`/tmp/${'x'.repeat(103)}`)).toThrow(
      expect.objectContaining({ code: 'PATH_TOO_LONG' }),
    );
    expect(statSync(harness.path('file')).size).toBe(8);
  });

  it('replaces a socket that nobody listens on, and no other', () => {
    harness.listen();
    const second = new VfioUserServer();
    expect(() => second.listen(harness.path('a.sock'), new FakePciFunction())).toThrow(
      expect.objectContaining({ code: 'ADDRESS_IN_USE' }),
    );
    // The probe of the second server must not have disturbed the first.
    expect(harness.ask(harness.negotiated(), regionReadRequest(0, 0, 1))?.length).toBe(33);
    second.close();

    const stale = harness.path('stale.sock');
    harness.leaveStaleSocket(stale);
    expect(statSync(stale).isSocket()).toBe(true);
    harness.listen('stale.sock');
    expect(harness.ask(harness.negotiated('stale.sock'), regionReadRequest(0, 0, 1))?.length).toBe(
      33,
    );
  });

  it('close removes the sockets, and leaves no descriptor', () => {
    const before = openFds();
    const other = new Harness();
    other.listen();
    other.listen('b.sock');
    other.negotiated();
    const path = other.path('a.sock');
    other.server.close();
    expect(existsSync(path)).toBe(false);
    other.close();
    expect(openFds()).toBe(before);
    expect(() => other.server.poll(0)).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });
});

describe('clients', () => {
  it('plugs the function in for one that negotiates, and out when it leaves', () => {
    const pciFunction = harness.listen();
    const idle = harness.connect();
    expect(pciFunction.takeCalls()).toEqual([]);
    idle.close();
    harness.settle();
    expect(pciFunction.takeCalls()).toEqual([]);
    expect(harness.events).toEqual([]);

    const client = harness.negotiated();
    expect(pciFunction.takeCalls()).toEqual(['connect']);
    expect(pciFunction.host!.ownsMsixTable).toBe(true);
    client.close();
    harness.settle();
    expect(pciFunction.takeCalls()).toEqual(['disconnect']);
    expect(harness.events).toEqual(['connect', 'disconnect']);
    expect(harness.complaints).toEqual([]);
  });

  it('turns a second one away, and welcomes the next after the first', () => {
    harness.listen();
    const first = harness.negotiated();
    const second = harness.connect();
    harness.settle();
    expect(second.receive()?.length).toBe(0);
    expect(harness.complaints.length).toBe(1);
    expect(harness.ask(first, regionReadRequest(0, 0, 1))?.length).toBe(33);
    first.close();
    expect(harness.ask(harness.negotiated(), regionReadRequest(0, 0, 1))?.length).toBe(33);
  });

  it('one that does not negotiate gives way', () => {
    harness.listen();
    const silent = harness.connect();
    expect(harness.ask(harness.negotiated(), regionReadRequest(0, 0, 1))?.length).toBe(33);
    expect(silent.receive()?.length).toBe(0);
  });

  it('leave nothing behind', () => {
    const pciFunction = harness.listen();
    const ram = memfd(0x10000);
    const events = [eventfd(), eventfd()];
    const before = openFds();
    for (let boot = 0; boot < 3; boot++) {
      const client = harness.negotiated();
      harness.ask(client, dmaMapRequest(0, 0x10000, 3), [ram]);
      harness.ask(client, setIrqsRequest(0x24, 0, 0, 1), [events[0]!]);
      harness.ask(client, setIrqsRequest(0x24, 2, 0, 2), events);
      harness.ask(client, setIrqsRequest(0x24, 2, 0, 2), events);
      // Descriptors where none belong, or too few.
      harness.ask(client, message(6, 13, new Uint8Array()), events);
      harness.ask(client, setIrqsRequest(0x24, 2, 0, 4), events);
      harness.ask(client, dmaMapRequest(0, 0x10000, 3), [ram]);
      harness.ask(client, message(6, 99, new Uint8Array()), events);
      expect(pciFunction.host!.memory.read(0, new Uint8Array(1), 0, 1)).toBe(true);
      client.close();
      harness.settle();
    }
    expect(openFds()).toBe(before);
    for (const fd of [ram, ...events]) {
      closeFd(fd);
    }
  });
});

describe('rounds', () => {
  it('a flood from one does not keep another waiting', () => {
    const flooded = harness.listen();
    harness.listen('b.sock');
    const noisy = harness.negotiated();
    const quiet = harness.negotiated('b.sock');
    flooded.takeCalls();
    for (let write = 0; write < 200; write++) {
      noisy.send(postedWriteRequest(0x3000, 0, write));
    }
    quiet.send(regionReadRequest(0, 0, 1));
    harness.server.poll(0);
    expect(flooded.takeCalls().length).toBe(64);
    expect(quiet.receive()?.length).toBe(33);
    harness.settle();
    expect(flooded.takeCalls().length).toBe(136);
  });

  it('does not wait while work is left', () => {
    const pciFunction = harness.listen();
    harness.negotiated();
    let left = 5;
    pciFunction.work = () => --left > 0;
    const start = performance.now();
    while (left > 0) {
      harness.server.poll(left === 5 ? 0 : 10_000);
    }
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it('a function pauses while QEMU changes the memory map', () => {
    const pciFunction = harness.listen();
    const client = harness.negotiated();
    let turns = 0;
    pciFunction.work = () => {
      turns++;
      return false;
    };
    harness.ask(client, dmaMapRequest(0, 0x2000, 3));
    turns = 0;
    client.send(dmaUnmapRequest(0, 0x2000));
    client.send(dmaMapRequest(0, 0x1000, 3));
    harness.server.poll(0);
    harness.server.poll(0);
    expect(turns).toBe(0);
    harness.ask(client, regionReadRequest(0, 0, 1));
    expect(turns).toBeGreaterThan(0);

    client.send(dmaUnmapRequest(0, 0x1000));
    harness.server.poll(0);
    turns = 0;
    for (const start = performance.now(); turns === 0 && performance.now() - start < 5_000; ) {
      harness.server.poll(10_000);
    }
    expect(turns).toBeGreaterThan(0);
  });

  it('a function with work left is not held up by a look for messages at each turn, and holds none up for long', () => {
    const busy = harness.listen();
    const client = harness.negotiated();
    let turns = 0;
    busy.work = () => {
      turns += 1;
      return true;
    };
    harness.server.poll(0);
    const now = performance.now() + 1000;
    const clock = vi.spyOn(performance, 'now').mockReturnValue(now);
    harness.server.poll(0);
    client.send(regionReadRequest(0, 0, 1));
    turns = 0;
    for (let round = 0; round < 10; round += 1) harness.server.poll(-1);
    expect(turns).toBe(20);
    expect(client.receive()).toBeUndefined();
    clock.mockReturnValue(now + 1);
    harness.server.poll(-1);
    clock.mockRestore();
    expect(client.receive()?.length).toBe(33);
  });

  it('a storm of kicks takes no turn of another function: each round is at most 64 of them, and a turn for all', () => {
    const stormy = harness.listen();
    const calm = harness.listen('b.sock');
    const storm = harness.negotiated();
    const client = harness.negotiated('b.sock');
    const turns = { stormy: 0, calm: 0 };
    stormy.work = () => {
      turns.stormy += 1;
      return false;
    };
    calm.work = () => {
      turns.calm += 1;
      return false;
    };
    const kick = postedWriteRequest(0x3000, 0, 0);
    storm.send(new Uint8Array(Buffer.concat(new Array(1280).fill(kick))));
    stormy.takeCalls();
    for (let round = 1; round <= 20; round += 1) {
      client.send(regionReadRequest(0, 0, 1));
      harness.server.poll(0);
      expect(client.receive()?.length).toBe(33);
      expect(stormy.takeCalls()).toHaveLength(64);
      expect(turns).toEqual({ stormy: 2 * round, calm: 2 * round });
    }
  });

  it('a function that throws loses its client, not the server', () => {
    const broken = harness.listen();
    harness.listen('b.sock');
    harness.negotiated();
    const other = harness.negotiated('b.sock');
    broken.work = () => {
      throw new Error('bad day');
    };
    harness.settle();
    expect(harness.events.at(-1)).toBe('disconnect');
    expect(harness.complaints.length).toBe(1);
    expect(harness.complaints[0]).toContain('bad day');
    expect(harness.ask(other, regionReadRequest(0, 0, 1))?.length).toBe(33);
  });

  it('one that cannot be accepted has one line and is tried again after a while, without a busy wait', () => {
    harness.listen();
    const libc = requireLibc();
    const accept = vi.spyOn(libc, 'accept4').mockReturnValue(-1);
    const errno = vi.spyOn(libc, 'errno').mockReturnValue(24);
    const client = harness.connect();
    const start = performance.now();
    for (let round = 0; round < 3; round += 1) harness.server.poll(-1);
    expect(performance.now() - start).toBeGreaterThan(150);
    expect(accept.mock.calls.length).toBeLessThan(6);
    expect(harness.complaints).toEqual([expect.stringContaining('EMFILE')]);
    accept.mockRestore();
    errno.mockRestore();
    harness.server.poll(-1);
    expect(harness.ask(client, versionRequest())?.length).toBeGreaterThan(20);
  });

  it('run returns when stop is asked', () => {
    harness.listen();
    requestStop(harness.server.stopHandle);
    requestStop(harness.server.stopHandle);
    harness.server.run();
    expect(harness.server.poll(0)).toBe(false);
  });
});
