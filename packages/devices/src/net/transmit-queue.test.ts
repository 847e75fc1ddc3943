/** Frames of the driver to the network; bytes are written out from "Packet Transmission". */
import type { GuestMemory } from '@viommu/virtqueue';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CSUM, MTU, NetGuest, SEND_AREA, VERSION_1, withHeader } from '../fixtures/net-guest.ts';
import { testFrame } from '../testing/net-backend-suite.ts';

/** NEEDS_CSUM. */
const NEEDS_CSUM = 1;

afterEach(() => {
  vi.restoreAllMocks();
});

it.each([
  ['in one segment', []],
  ['the header apart', [12]],
  ['the header in pieces', [1, 9, 1, 1]],
  ['cut anywhere', [5, 20, 0, 100]],
])('sends a frame, without its header: %s', (_what, split) => {
  const guest = new NetGuest();
  expect(guest.send(withHeader(testFrame(1514, 3)), split)).toBe(true);
  expect(guest.backend.sent).toEqual([testFrame(1514, 3)]);
  expect(guest.interrupts).toEqual([0, 1]);
});

it('sends a frame of the MTU that was agreed on whole, with and without a tag', () => {
  const guest = new NetGuest({ features: VERSION_1 | MTU, device: { mtu: 1500 } });
  for (const length of [1514, 1518]) {
    const frame = testFrame(length, 3);
    if (length === 1518) frame.set([0x81, 0x00], 12);
    expect(guest.send(withHeader(frame))).toBe(true);
    expect(guest.backend.sent.splice(0)).toEqual([frame]);
  }
});

it('sends many frames with one interrupt', () => {
  const guest = new NetGuest();
  for (let index = 0; index < 16; index += 1) {
    guest.queueToSend(withHeader(testFrame(60, index)), [], SEND_AREA + 0x100 * index);
  }
  guest.session.notify(1);
  guest.work();
  expect(guest.backend.sent).toEqual(
    Array.from({ length: 16 }, (_, index) => testFrame(60, index)),
  );
  expect([guest.sendBuffersUsed(), guest.interrupts]).toEqual([16, [0, 1]]);
});

it('is polled for as long as the host says, once frames follow each other', () => {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 1;
    return now;
  });
  const looksFor = (pollMicroseconds: number) => {
    const guest = new NetGuest({ device: { pollMicroseconds } });
    const look = vi.spyOn(guest.device, 'notifyQueue');
    for (const seed of [1, 2]) expect(guest.send(withHeader(testFrame(60, seed)))).toBe(true);
    expect(guest.interrupts).toEqual([0, 2]);
    return look.mock.calls.filter(([index]) => index === 1).length;
  };
  expect([looksFor(0), looksFor(5000)]).toEqual([2, 7]);
});

it('waits while the network takes no more, and goes on when it does', () => {
  const guest = new NetGuest();
  guest.backend.room = 2;
  for (let index = 0; index < 5; index += 1) {
    guest.queueToSend(withHeader(testFrame(60, index)), [], SEND_AREA + 0x100 * index);
  }
  guest.session.notify(1);
  guest.work();
  expect([guest.sendBuffersUsed(), guest.backend.sent.length]).toEqual([2, 2]);
  expect(guest.session.service()).toBe(false);
  guest.backend.room = 10;
  guest.backend.listener!.sendable();
  guest.work();
  expect([guest.sendBuffersUsed(), guest.backend.sent.length]).toEqual([3, 5]);
  expect(guest.device.counters).toMatchObject({ sentFrames: 5, sentBytes: 300, sendDrops: 0 });
});

describe('a buffer is dropped, used and counted', () => {
  const drops = (content: Uint8Array, view?: (memory: GuestMemory) => GuestMemory) => {
    const guest = new NetGuest({ features: VERSION_1 | CSUM, ...(view ? { view } : {}) });
    expect(guest.send(content)).toBe(true);
    expect(guest.backend.sent).toEqual([]);
    expect(guest.device.counters).toMatchObject({ sentFrames: 0, sendDrops: 1 });
    expect(guest.send(withHeader(testFrame(60, 1)))).toBe(true);
    expect(guest.backend.sent).toEqual([testFrame(60, 1)]);
  };

  it.each([0, 1, 11])('of %d bytes, too short for the header', (length) => {
    drops(new Uint8Array(length));
  });

  it.each([0, 13])('with a frame of %d bytes, too short for Ethernet', (length) => {
    drops(withHeader(new Uint8Array(length)));
  });

  it('with a frame that the network has no room for', () => {
    drops(withHeader(new Uint8Array(9015)));
  });

  // TCPV4, UDP, TCPV6, UDP_L4, the tunnels with and without another type, both of them, ECN.
  it.each([1, 3, 4, 5, 0x20, 0x40, 0x60, 0x61, 0x80])(
    'with gso_type %d, which was not negotiated',
    (gsoType) => {
      drops(withHeader(testFrame(100, 1), { flags: NEEDS_CSUM, gsoType, csumStart: 34 }));
    },
  );

  it.each([
    ['that ends beyond the frame', 34, 65],
    ['far outside', 0xffff, 0xffff],
    ['that begins beyond the frame', 200, 0],
  ])('with a checksum %s', (_what, csumStart, csumOffset) => {
    drops(withHeader(testFrame(100, 1), { flags: NEEDS_CSUM, csumStart, csumOffset }));
  });

  it.each([
    ['the header', SEND_AREA],
    ['the frame', SEND_AREA + 12],
  ])('when memory refuses %s', (_what, refused) => {
    let once = true;
    drops(withHeader(testFrame(60, 9)), (memory) => ({
      isShared: false,
      generation: 0,
      window: (...args) => memory.window(...args),
      read: (address, target, offset, length) => {
        if (address === refused && once) {
          once = false;
          return false;
        }
        return memory.read(address, target, offset, length);
      },
      write: (...args) => memory.write(...args),
    }));
  });
});

describe('the checksum that the driver leaves to the device', () => {
  /** Ethernet, IPv4, then UDP from port 4660 to 22136 with these data; the checksum field has the sum of the pseudo header. */
  function udp(data: readonly number[]): Uint8Array {
    const udpLength = 8 + data.length;
    // 10.0.2.15 to 10.0.2.2, protocol 17.
    let pseudo = 0x0a00 + 0x020f + 0x0a00 + 0x0202 + 17 + udpLength;
    while (pseudo > 0xffff) pseudo = (pseudo & 0xffff) + (pseudo >>> 16);
    return Uint8Array.from([
      ...[0x52, 0x55, 10, 0, 2, 2, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 0x08, 0x00],
      ...[0x45, 0, 0, 20 + udpLength, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2],
      ...[0x12, 0x34, 0x56, 0x78, 0, udpLength, pseudo >>> 8, pseudo & 0xff],
      ...data,
    ]);
  }
  const sent = (frame: Uint8Array, header: object, features = VERSION_1 | CSUM) => {
    const guest = new NetGuest({ features });
    guest.send(withHeader(frame, header));
    return [...guest.backend.sent[0]!];
  };
  const fields = { flags: NEEDS_CSUM, csumStart: 34, csumOffset: 6 };

  it.each([
    // The pseudo header without length is 0x1822, the ports are 0x68ac; the length counts twice.
    ['an even number of bytes', [0, 0], [0x7f, 0x1d]],
    ['an odd number of bytes', [0x01], [0x7e, 0x1f]],
    ['no bytes', [], [0x7f, 0x21]],
  ])('is of %s of data', (_what, data, checksum) => {
    const frame = udp(data);
    const expected = [...frame];
    expected.splice(40, 2, ...checksum);
    expect(sent(frame, fields)).toEqual(expected);
  });

  it('that would be zero is all ones', () => {
    const frame = udp([0, 0]);
    frame.set([0x7f, 0x1d], 42);
    expect(sent(frame, fields).slice(40, 42)).toEqual([0xff, 0xff]);
  });

  it('carries around', () => {
    const frame = udp(Array.from({ length: 100 }, () => 0xff));
    // Words of all ones add nothing.
    const [high, low] = sent(udp([]), fields).slice(40, 42);
    const longer = 100 * 2;
    expect(sent(frame, fields).slice(40, 42)).toEqual(
      ((value) => [value >>> 8, value & 0xff])(((high! << 8) | low!) - longer),
    );
  });

  it('is left alone when the header does not ask, or VIRTIO_NET_F_CSUM was not agreed on', () => {
    const frame = udp([1, 2, 3]);
    expect(sent(frame, { ...fields, flags: 0 })).toEqual([...frame]);
    // 2 and more: "The device MUST ignore flag bits that it does not recognize."
    expect(sent(frame, { ...fields, flags: 0xfe })).toEqual([...frame]);
    expect(sent(frame, fields, VERSION_1)).toEqual([...frame]);
  });
});
