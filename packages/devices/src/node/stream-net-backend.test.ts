/** Frames over a UNIX stream socket, with a peer that does as it likes; bytes are those of QEMU's stream framing. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lengthOf, StreamPeer } from '../fixtures/stream-peer.ts';
import type { NetFrame } from '../net/net-backend.ts';
import { netBackendSuite, testFrame } from '../testing/net-backend-suite.ts';
import { openStreamNetBackend } from './stream-net-backend.ts';

netBackendSuite('stream', () => new StreamPeer());

let peer: StreamPeer;
let told: string[];
const frame: NetFrame = { bytes: new Uint8Array(0), offset: 0, length: 0 };

beforeEach(() => {
  peer = new StreamPeer();
  told = [];
  peer.backend.listen({
    receivable: () => told.push('receivable'),
    sendable: () => told.push('sendable'),
    linkChanged: () => told.push('link'),
  });
});
afterEach(() => peer.close());

const received = () => {
  const frames: Uint8Array[] = [];
  peer.settle();
  while (peer.backend.receive(frame)) {
    frames.push(frame.bytes.slice(frame.offset, frame.offset + frame.length));
  }
  return frames;
};
const send = (content: Uint8Array) => {
  peer.backend.reserve(content.length, frame);
  frame.bytes.set(content, frame.offset);
  peer.backend.commit();
};

describe('what comes in', () => {
  it('is put together from any pieces', () => {
    const frames = [testFrame(14, 1), testFrame(1514, 2), testFrame(60, 3)];
    const stream = frames.flatMap((each) => [...lengthOf(each.length), ...each]);
    const found: Uint8Array[] = [];
    const ends = [1, 3, 4, 5, 17, 18, 20, 21, 22, 700, 1535, 1536, 1540, 1541, stream.length];
    let start = 0;
    for (const end of ends) {
      peer.sendBytes(Uint8Array.from(stream.slice(start, end)));
      found.push(...received());
      start = end;
    }
    expect(found).toEqual(frames);
  });

  it('fills the buffer over and over, whatever the lengths', () => {
    let next = 0;
    const lengthAt = (index: number) => 14 + ((index * 7919) % 65000);
    for (let index = 0; index < 60; index += 1) {
      peer.deliver(testFrame(lengthAt(index), index));
      if (index % 3 !== 2) continue;
      for (const each of received()) {
        expect(Buffer.compare(each, testFrame(lengthAt(next), next))).toBe(0);
        next += 1;
      }
    }
    expect(next).toBe(60);
  });

  it('is not waited for again before it was taken', () => {
    expect(peer.backend.wantsRead()).toBe(true);
    peer.deliver(testFrame(60, 1));
    peer.settle();
    expect(peer.backend.wantsRead()).toBe(false);
    received();
    expect(peer.backend.wantsRead()).toBe(true);
  });

  it.each([
    ['the largest', 65550],
    ['the smallest', 14],
  ])('%s frame is one of %d bytes', (_what, length) => {
    peer.deliver(testFrame(length, 1));
    expect(received()).toEqual([testFrame(length, 1)]);
  });

  it.each([
    ['too long', [0, 1, 0, 15]],
    ['shorter than an Ethernet header', [0, 0, 0, 13]],
    ['empty', [0, 0, 0, 0]],
    ['garbage', [0xff, 0xff, 0xff, 0xff]],
  ])('a frame that is %s takes the link down', (_what, prefix) => {
    peer.deliver(testFrame(60, 1));
    peer.sendBytes(Uint8Array.from([...prefix, ...testFrame(60, 2)]));
    expect(received()).toEqual([testFrame(60, 1)]);
    expect([peer.backend.linkUp, peer.backend.fd]).toEqual([false, -1]);
    expect(told).toEqual(['receivable', 'link']);
    expect(peer.log).toEqual([expect.stringContaining('the peer announced a frame of')]);
    expect(received()).toEqual([]);
  });

  it('ends in the middle of a frame: the link is down', () => {
    peer.sendBytes(Uint8Array.from([...lengthOf(100), 1, 2, 3]));
    peer.hangUp();
    expect([received(), received()]).toEqual([[], []]);
    expect(peer.backend.linkUp).toBe(false);
    expect(peer.log).toEqual([expect.stringContaining('the peer has closed the connection')]);
  });
});

describe('what goes out', () => {
  it('is each frame after its length, in one piece', () => {
    send(testFrame(14, 1));
    send(testFrame(300, 2));
    expect(peer.receiveBytes().length).toBe(0);
    peer.backend.flush();
    expect([...peer.receiveBytes()]).toEqual([
      ...[0, 0, 0, 14],
      ...testFrame(14, 1),
      ...[0, 0, 1, 44],
      ...testFrame(300, 2),
    ]);
  });

  it('waits for a peer that does not read, within bounds, and loses nothing', () => {
    const { backend } = peer;
    let sent = 0;
    while (backend.canSend) {
      send(testFrame(1514, sent));
      sent += 1;
      backend.flush();
      expect(sent).toBeLessThan(2000);
    }
    expect(backend.wantsWrite()).toBe(true);
    peer.settle();
    expect([told, backend.wantsWrite()]).toEqual([[], true]);
    let taken = 0;
    for (let round = 0; taken < sent && round < 100; round += 1) {
      for (const each of peer.taken()) {
        expect(Buffer.compare(each, testFrame(1514, taken))).toBe(0);
        taken += 1;
      }
      peer.settle();
      backend.flush();
    }
    expect(taken).toBe(sent);
    expect([told.includes('sendable'), backend.canSend, backend.wantsWrite()]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('to a peer that has gone takes the link down', () => {
    peer.hangUp();
    send(testFrame(60, 1));
    peer.backend.flush();
    expect([peer.backend.linkUp, told]).toEqual([false, ['link']]);
    expect(peer.log).toEqual([expect.stringContaining('EPIPE')]);
  });
});

it('two live one after the other, and do not mix', () => {
  peer.deliver(testFrame(60, 1));
  peer.settle();
  peer.backend.close();
  peer.backend.close();
  const other = new StreamPeer();
  other.deliver(testFrame(60, 2));
  other.settle();
  expect(other.backend.receive(frame)).toBe(true);
  expect(frame.bytes[frame.offset + 11]).toBe(2);
  other.close();
});

it.each([
  ['a socket that is not there', '/nowhere/net.sock', 'ENOENT'],
  ['a path that is too long', `/${'x'.repeat(120)}`, 'too long'],
  ['no path', '', 'is empty'],
])('refuses %s', (_what, path, message) => {
  expect(() => openStreamNetBackend({ path })).toThrow(
    expect.objectContaining({ code: 'NET_SOCKET', message: expect.stringContaining(message) }),
  );
});
