/** A virtio-net that goes on as another object: the frame at hand, the buffers that it takes, and the link that its driver knows of. */
import { describe, expect, it } from 'vitest';
import { MRG_RXBUF, NetGuest, STATUS, VERSION_1 } from '../fixtures/net-guest.ts';
import { testFrame } from '../testing/net-backend-suite.ts';

const RING_PACKED = 1n << 34n;
const MERGEABLE = VERSION_1 | MRG_RXBUF | STATUS;

describe.each([
  ['split', MERGEABLE],
  ['packed', MERGEABLE | RING_PACKED],
])('%s', (_name, features) => {
  it.each([0, 1, 3])('a frame that waits with %d buffers is placed in one piece, once', (count) => {
    const guest = new NetGuest({ features });
    for (let buffer = 0; buffer < count; buffer += 1) guest.giveBuffers([20, 280]);
    guest.backend.deliver(testFrame(1514, 7));
    guest.work();
    expect(guest.usedBuffers()).toEqual([]);
    const descriptors = features === MERGEABLE ? count : 2 * count;
    const inFlight = () => {
      const { ring, kept } = guest.session.queueStates()[0]!;
      return [ring!.inFlight, kept.length, new Set(kept).size];
    };
    expect(inFlight()).toEqual([descriptors, count, count]);
    guest.move();
    expect(inFlight()).toEqual([descriptors, count, count]);
    guest.work();
    guest.move();
    for (let buffer = count; buffer < 6; buffer += 1) guest.giveBuffers([300]);
    const buffers = guest.usedBuffers();
    expect(buffers.map(({ length }) => length)).toEqual([300, 300, 300, 300, 300, 26]);
    // num_buffers, in the header that the first device wrote.
    expect([...buffers[0]!.subarray(10, 12)]).toEqual([6, 0]);
    const bytes = buffers.flatMap((buffer) => [...buffer]);
    expect(Uint8Array.from(bytes.slice(12))).toEqual(testFrame(1514, 7));
    expect(guest.interrupts).toEqual([1, 0]);
    guest.backend.deliver(testFrame(60, 8));
    guest.giveBuffers([300]);
    expect(guest.usedBuffers()[0]?.subarray(12)).toEqual(testFrame(60, 8));
  });

  it('buffers that wait to be sent are sent, once', () => {
    const guest = new NetGuest({ features });
    guest.backend.room = 0;
    const frame = testFrame(100, 3);
    expect(guest.send(Uint8Array.of(...new Uint8Array(12), ...frame))).toBe(false);
    guest.move();
    guest.session.notify(1);
    guest.work();
    expect([guest.sendBuffersUsed(), guest.backend.sent]).toEqual([1, [frame]]);
  });
});

it.each([
  [true, true, 0],
  [false, false, 0],
  [true, false, 1],
  [false, true, 1],
])('a link that was up %s, and is %s now, is told by %d changes', (before, now, changes) => {
  const guest = new NetGuest();
  guest.backend.setLink(before);
  const told = guest.configChanges;
  guest.move((_snapshot, backend) => {
    backend.linkUp = now;
  });
  expect([guest.configChanges - told, guest.session.readConfig(6, 2)]).toEqual([
    changes,
    now ? 1 : 0,
  ]);
});

const change = (of: unknown, fields: object) => void Object.assign(of as object, fields);
it.each<[string, (frame: Record<string, number[]>) => void]>([
  ['of fewer bytes than its header', (frame) => change(frame, { bytes: '00' })],
  ['that is placed beyond its end', (frame) => change(frame, { placed: 5000 })],
  ['with other lengths than were placed', (frame) => change(frame, { lengths: [299] })],
  ['with a length for no buffer', (frame) => change(frame, { heads: [] })],
  ['with a buffer beyond the queue', (frame) => change(frame, { heads: [256] })],
  ['without its first buffer', (frame) => change(frame, { first: [] })],
  ['with half a segment', (frame) => change(frame, { first: [1, 2, 3] })],
])('a frame %s is refused', (_what, damage) => {
  const guest = new NetGuest();
  guest.giveBuffers([300]);
  guest.backend.deliver(testFrame(1514, 7));
  guest.work();
  const move = () =>
    guest.move(({ device }) => damage((device as { frame: Record<string, number[]> }).frame));
  expect(move).toThrow(expect.objectContaining({ code: 'SNAPSHOT' }));
});
