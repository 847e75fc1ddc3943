/** Frames into the driver's buffers; bytes are written out from "Processing of Incoming Packets". */
import { ACCESS_WRITE, type GuestMemory } from '@viommu/virtqueue';
import { describe, expect, it } from 'vitest';
import { UNTOUCHED } from '../fixtures/guest.ts';
import {
  MRG_RXBUF,
  MTU,
  NetGuest,
  RECEIVE_AREA,
  RECEIVE_ROOM,
  STATUS,
  VERSION_1,
  withHeader,
} from '../fixtures/net-guest.ts';
import { testFrame } from '../testing/net-backend-suite.ts';

const MERGEABLE = VERSION_1 | MRG_RXBUF | STATUS;
const SINGLE = VERSION_1 | STATUS;

/** Refuses the device's writes from an address on. */
function refusingWritesAt(refused: number) {
  return (memory: GuestMemory): GuestMemory => ({
    isShared: false,
    generation: 0,
    window: (address, length, access, out) =>
      (access & ACCESS_WRITE) !== 0 && address + length > refused && address >= RECEIVE_AREA
        ? -1
        : memory.window(address, length, access, out),
    read: (...args) => memory.read(...args),
    write: (address, source, offset, length) =>
      !(address + length > refused && address >= RECEIVE_AREA) &&
      memory.write(address, source, offset, length),
  });
}

describe.each([
  ['mergeable', MERGEABLE],
  ['single', SINGLE],
])('%s buffers', (_name, features) => {
  it.each([
    ['one segment', [1526]],
    ['the header apart', [12, 1514]],
    ['the header in pieces', [1, 9, 1, 1, 1514]],
    ['a segment for each part of the frame', [20, 4, 1, 0, 700, 900]],
  ])('take a frame after a header of 12 bytes, which says one buffer: %s', (_what, lengths) => {
    const guest = new NetGuest({ features });
    guest.giveBuffers(lengths);
    guest.backend.deliver(testFrame(1514, 7));
    guest.work();
    const [buffer] = guest.usedBuffers();
    expect([...buffer!.subarray(0, 12)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    expect(buffer!.subarray(12)).toEqual(testFrame(1514, 7));
    expect(guest.interrupts).toEqual([1, 0]);
  });

  it('are used as far as the frame goes', () => {
    const guest = new NetGuest({ features });
    guest.giveBuffers([200]);
    guest.backend.deliver(testFrame(60, 1));
    guest.work();
    expect(guest.usedBuffers()).toEqual([withHeader(testFrame(60, 1), { numBuffers: 1 })]);
    expect(guest.bytes[RECEIVE_AREA + 72]).toBe(UNTOUCHED);
  });

  it('are waited for, and the frames wait in order', () => {
    const guest = new NetGuest({ features });
    guest.backend.deliver(testFrame(60, 1), testFrame(60, 2), testFrame(60, 3));
    guest.work();
    expect(guest.backend.incoming.length).toBe(2);
    guest.giveBuffers([100], [100]);
    expect(guest.usedBuffers()).toEqual([
      withHeader(testFrame(60, 1), { numBuffers: 1 }),
      withHeader(testFrame(60, 2), { numBuffers: 1 }),
    ]);
    guest.giveBuffers([100]);
    expect(guest.usedBuffers()).toEqual([withHeader(testFrame(60, 3), { numBuffers: 1 })]);
    expect(guest.device.counters).toMatchObject({ receivedFrames: 3, receiveDrops: 0 });
  });

  it('many frames are one interrupt', () => {
    const guest = new NetGuest({ features });
    guest.giveBuffers(...Array.from({ length: 16 }, () => [100]));
    guest.backend.deliver(...Array.from({ length: 16 }, (_, index) => testFrame(60, index)));
    guest.work();
    expect(guest.usedBuffers().length).toBe(16);
    expect(guest.interrupts).toEqual([1, 0]);
  });

  it.each([
    ['no room for the header', [11]],
    ['no room at all', [0]],
  ])('with %s go back empty, and cost one frame', (_what, lengths) => {
    const guest = new NetGuest({ features });
    guest.giveBuffers(lengths, [100]);
    guest.backend.deliver(testFrame(60, 1), testFrame(60, 2));
    guest.work();
    expect(guest.usedBuffers()).toEqual([
      new Uint8Array(0),
      withHeader(testFrame(60, 2), { numBuffers: 1 }),
    ]);
    expect(guest.device.counters).toMatchObject({ receivedFrames: 1, receiveDrops: 1 });
  });

  it('that memory refuses go back empty, and cost one frame', () => {
    const guest = new NetGuest({ features, view: refusingWritesAt(RECEIVE_AREA + RECEIVE_ROOM) });
    guest.giveBuffers([500], [500]);
    guest.backend.deliver(testFrame(60, 1), testFrame(60, 2));
    guest.work();
    expect(guest.usedBuffers()).toEqual([
      withHeader(testFrame(60, 1), { numBuffers: 1 }),
      new Uint8Array(0),
    ]);
    expect(guest.device.counters).toMatchObject({ receivedFrames: 1, receiveDrops: 1 });
  });

  it('a frame of more than the MTU that was agreed on is dropped; a tag does not count', () => {
    const guest = new NetGuest({ features: features | MTU, device: { mtu: 1500 } });
    guest.giveBuffers([2000], [2000]);
    const tagged = testFrame(1518, 3);
    tagged.set([0x81, 0x00], 12);
    guest.backend.deliver(testFrame(1515, 1), testFrame(1514, 2), tagged);
    guest.work();
    expect(guest.usedBuffers().map((each) => each.length)).toEqual([1526, 1530]);
    expect(guest.device.counters.receiveDrops).toBe(1);
  });
});

describe('a frame that is longer than a buffer', () => {
  it('is spread over as many as it takes, all but the last filled, all used at once', () => {
    const guest = new NetGuest({ features: MERGEABLE });
    const frame = testFrame(1514, 5);
    guest.giveBuffers([1000], [200, 56], [100], [1000], [1000]);
    guest.backend.deliver(frame);
    guest.work();
    const buffers = guest.usedBuffers();
    expect(buffers.map((each) => each.length)).toEqual([1000, 256, 100, 170]);
    expect(Buffer.concat(buffers)).toEqual(Buffer.from(withHeader(frame, { numBuffers: 4 })));
    expect(guest.interrupts).toEqual([1, 0]);
  });

  it('its header can lie in pieces', () => {
    const guest = new NetGuest({ features: MERGEABLE });
    guest.giveBuffers([11, 1], [100]);
    guest.backend.deliver(testFrame(60, 5));
    guest.work();
    const buffers = guest.usedBuffers();
    expect([...buffers[0]!]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0]);
    expect(buffers[1]).toEqual(testFrame(60, 5));
  });

  it('waits for the rest of its buffers, and none is used before', () => {
    const guest = new NetGuest({ features: MERGEABLE });
    guest.giveBuffers([500], [500]);
    guest.backend.deliver(testFrame(1514, 5));
    guest.work();
    expect([guest.usedBuffers(), guest.interrupts]).toEqual([[], [0, 0]]);
    guest.giveBuffers([400]);
    expect(guest.usedBuffers()).toEqual([]);
    guest.giveBuffers([400]);
    expect(Buffer.concat(guest.usedBuffers())).toEqual(
      Buffer.from(withHeader(testFrame(1514, 5), { numBuffers: 4 })),
    );
  });

  it('and than all that fit into the queue is dropped', () => {
    const guest = new NetGuest({ features: MERGEABLE, queueSize: 4 });
    guest.giveBuffers([100], [100], [100], [100]);
    guest.backend.deliver(testFrame(1514, 5), testFrame(60, 6));
    guest.work();
    expect(guest.usedBuffers()).toEqual(Array.from({ length: 4 }, () => new Uint8Array(0)));
    guest.giveBuffers([100]);
    expect(guest.usedBuffers()).toEqual([withHeader(testFrame(60, 6), { numBuffers: 1 })]);
    expect(guest.device.counters.receiveDrops).toBe(1);
  });

  it('that memory refuses in its middle is dropped, and its buffers go back empty', () => {
    const guest = new NetGuest({
      features: MERGEABLE,
      view: refusingWritesAt(RECEIVE_AREA + 2 * RECEIVE_ROOM),
    });
    guest.giveBuffers([500], [500], [500]);
    guest.backend.deliver(testFrame(1400, 5));
    guest.work();
    expect(guest.usedBuffers()).toEqual(Array.from({ length: 3 }, () => new Uint8Array(0)));
    expect(guest.interrupts).toEqual([1, 0]);
    expect(guest.device.counters).toMatchObject({ receivedFrames: 0, receiveDrops: 1 });
  });

  it('is dropped without VIRTIO_NET_F_MRG_RXBUF, and its buffer goes back empty', () => {
    const guest = new NetGuest({ features: SINGLE });
    guest.giveBuffers([71], [72]);
    guest.backend.deliver(testFrame(60, 1), testFrame(60, 2));
    guest.work();
    expect(guest.usedBuffers()).toEqual([
      new Uint8Array(0),
      withHeader(testFrame(60, 2), { numBuffers: 1 }),
    ]);
  });
});

it('the driver is asked for kicks only while a frame waits for buffers', () => {
  const guest = new NetGuest({ features: SINGLE });
  guest.giveBuffers([100]);
  // flags of the used ring: VIRTQ_USED_F_NO_NOTIFY.
  const flags = () => guest.bytes[usedRing()];
  const usedRing = () => 0x1000 + 16 * 16 + 4 + 2 * 16 + 2 + 2;
  expect(flags()).toBe(1);
  guest.backend.deliver(testFrame(60, 1), testFrame(60, 2));
  guest.work();
  expect(flags()).toBe(0);
  guest.giveBuffers([100]);
  expect([guest.usedBuffers().length, flags()]).toEqual([2, 1]);
});
