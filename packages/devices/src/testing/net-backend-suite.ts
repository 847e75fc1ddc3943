/** netBackendSuite: what a virtio-net may expect of every NetBackend; each backend runs it in its own tests. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NetBackend, NetFrame } from '../net/net-backend.ts';

/** A backend with a peer at the other end of its link. */
export interface NetBackendSubject {
  readonly backend: NetBackend;
  /** The peer sends a frame. */
  deliver(frame: Uint8Array): void;
  /** Lets the backend hear what has become of its link. */
  settle(): void;
  /** What has reached the peer since the last call, frame by frame. */
  taken(): Uint8Array[];
  /** The peer goes for good; left out where none can. */
  hangUp?(): void;
  close(): void;
}

/** Of a `struct virtio_net_hdr`. */
const HEADER_ROOM = 12;

export function netBackendSuite(name: string, factory: () => NetBackendSubject): void {
  describe(`NetBackend: ${name}`, () => {
    let subject: NetBackendSubject;
    let backend: NetBackend;
    let told: string[];
    const frame: NetFrame = { bytes: new Uint8Array(0), offset: 0, length: 0 };

    beforeEach(() => {
      subject = factory();
      ({ backend } = subject);
      told = [];
      backend.listen({
        receivable: () => told.push('receivable'),
        sendable: () => told.push('sendable'),
        linkChanged: () => told.push('link'),
      });
    });
    afterEach(() => subject.close());

    const received = () => {
      const frames: Uint8Array[] = [];
      while (backend.receive(frame)) {
        const { bytes, offset, length } = frame;
        frames.push(bytes.slice(offset, offset + length));
        // What the device does with the room that it has before the frame.
        bytes.fill(0xff, offset - HEADER_ROOM, offset);
      }
      return frames;
    };
    const send = (content: Uint8Array) => {
      expect(backend.canSend).toBe(true);
      backend.reserve(content.length, frame);
      expect(frame.length).toBe(content.length);
      frame.bytes.set(content, frame.offset);
      backend.commit();
    };
    const lengths = () => [14, 60, 61, 1514, 14, 9014].filter((each) => each <= largest());
    const largest = () => backend.largestFrame;

    it('has a link, room for a frame of a usual size, and nothing to receive at first', () => {
      expect(backend.linkUp).toBe(true);
      expect(backend.canSend).toBe(true);
      expect(largest()).toBeGreaterThanOrEqual(1514);
      expect(backend.receive(frame)).toBe(false);
    });

    it('receives frames in order, with room before each', () => {
      const frames = lengths().map((length, index) => testFrame(length, index));
      for (const each of frames) subject.deliver(each);
      subject.settle();
      expect(told).toContain('receivable');
      expect(received()).toEqual(frames);
      expect(backend.receive(frame)).toBe(false);
    });

    it('receives what comes later, too', () => {
      for (let round = 0; round < 3; round += 1) {
        told = [];
        subject.deliver(testFrame(100, round));
        subject.settle();
        expect(told).toContain('receivable');
        expect(received()).toEqual([testFrame(100, round)]);
      }
    });

    it('leaves a frame where it is until the next one is taken', () => {
      subject.deliver(testFrame(500, 1));
      subject.settle();
      expect(backend.receive(frame)).toBe(true);
      const { bytes, offset } = frame;
      subject.deliver(testFrame(600, 2));
      subject.settle();
      send(testFrame(700, 3));
      backend.flush();
      expect(bytes.slice(offset, offset + 500)).toEqual(testFrame(500, 1));
      expect(received()).toEqual([testFrame(600, 2)]);
    });

    it('sends frames in order, and forgets what was not committed', () => {
      const frames = lengths().map((length, index) => testFrame(length, index));
      for (const each of frames) {
        backend.reserve(33, frame);
        frame.bytes.fill(0xee, frame.offset, frame.offset + 33);
        send(each);
      }
      backend.flush();
      backend.flush();
      expect(subject.taken()).toEqual(frames);
    });

    it('both ways at once', () => {
      for (let round = 0; round < 50; round += 1) {
        subject.deliver(testFrame(1000 + round, round));
        send(testFrame(60 + round, round));
        backend.flush();
        subject.settle();
        expect(received()).toEqual([testFrame(1000 + round, round)]);
        expect(subject.taken()).toEqual([testFrame(60 + round, round)]);
      }
    });

    it('a peer that is gone takes the link down, once, and nothing fails', () => {
      if (subject.hangUp === undefined) return;
      subject.deliver(testFrame(80, 1));
      subject.hangUp();
      subject.settle();
      expect(received()).toEqual([testFrame(80, 1)]);
      subject.settle();
      expect(received()).toEqual([]);
      expect(backend.linkUp).toBe(false);
      expect(told.filter((each) => each === 'link')).toEqual(['link']);
      for (let index = 0; index < 1000; index += 1) {
        if (!backend.canSend) backend.flush();
        send(testFrame(1514, index));
      }
      backend.flush();
      subject.settle();
      expect(backend.receive(frame)).toBe(false);
      expect(told.filter((each) => each === 'link')).toEqual(['link']);
    });
  });
}

/** An Ethernet frame of a type for experiments, to everybody, with bytes that tell it from others. */
export function testFrame(length: number, seed: number): Uint8Array {
  const frame = Uint8Array.from({ length }, (_, index) => (index * 31 + seed) & 0xff);
  frame.set([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, seed & 0xff, 0x88, 0xb5]);
  return frame;
}
