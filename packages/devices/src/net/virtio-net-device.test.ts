/** virtio-net: what it says of itself, its link, and resets; numbers are written out from the chapter "Network Device". */
import { describe, expect, it } from 'vitest';
import {
  MAC,
  MRG_RXBUF,
  MTU,
  NetGuest,
  STATUS,
  VERSION_1,
  withHeader,
} from '../fixtures/net-guest.ts';
import { ScriptedNetBackend } from '../fixtures/scripted-net-backend.ts';
import { testFrame } from '../testing/net-backend-suite.ts';
import { VirtioNetDevice } from './virtio-net-device.ts';

const create = (options = {}) =>
  new VirtioNetDevice({ backend: new ScriptedNetBackend(), mac: MAC, ...options });
const configOf = (device: VirtioNetDevice) =>
  Array.from({ length: device.configSize }, (_, offset) => device.readConfig(offset, 1));

describe('what the device says of itself', () => {
  it('type, queues, features', () => {
    const { deviceId, queueMaxSizes, deviceFeatures } = create();
    expect([deviceId, queueMaxSizes]).toEqual([1, [256, 256]]);
    // CSUM 0, MAC 5, MRG_RXBUF 15, STATUS 16, ACCESS_PLATFORM 33.
    expect(deviceFeatures).toBe(0x2_0001_8021n);
    expect(create({ queueSize: 1024 }).queueMaxSizes).toEqual([1024, 1024]);
  });

  it('address, link, and the MTU that it is given', () => {
    expect(configOf(create())).toEqual([...MAC, 1, 0, 0, 0, 0, 0]);
    const device = create({ mtu: 9000 });
    expect(configOf(device)).toEqual([...MAC, 1, 0, 0, 0, 0x28, 0x23]);
    expect(device.deviceFeatures).toBe(0x2_0001_8029n);
  });

  it('which the driver cannot change', () => {
    const { session, device } = new NetGuest();
    for (let offset = 0; offset < 12; offset += 2) session.writeConfig(offset, 2, 0xffff);
    expect(configOf(device)).toEqual([...MAC, 1, 0, 0, 0, 0, 0]);
  });

  it.each([
    ['a multicast address', { mac: Uint8Array.of(1, 0, 0x5e, 0, 0, 1) }, 'NET_MAC'],
    ['a short address', { mac: Uint8Array.of(2, 0, 0) }, 'NET_MAC'],
    ['a small MTU', { mtu: 67 }, 'NET_MTU'],
    ['an MTU that the network has no room for', { mtu: 9001 }, 'NET_MTU'],
    ['half an MTU', { mtu: 1500.5 }, 'NET_MTU'],
  ])('refuses %s', (_what, options, code) => {
    expect(() => create(options)).toThrow(expect.objectContaining({ code }));
  });
});

describe('the link', () => {
  const statusOf = ({ session }: NetGuest) => session.readConfig(6, 2);

  it('goes down and up with the cable, and tells the driver of each change', () => {
    const guest = new NetGuest();
    guest.device.setLinkUp(false);
    expect([statusOf(guest), guest.configChanges]).toEqual([0, 1]);
    guest.device.setLinkUp(false);
    expect(guest.configChanges).toBe(1);
    guest.device.setLinkUp(true);
    expect([statusOf(guest), guest.configChanges]).toEqual([1, 2]);
  });

  it('goes down with the network', () => {
    const guest = new NetGuest();
    guest.backend.setLink(false);
    expect([statusOf(guest), guest.configChanges]).toEqual([0, 1]);
    guest.device.setLinkUp(true);
    expect([statusOf(guest), guest.device.linkUp]).toEqual([0, false]);
  });

  it('is not told to a driver without VIRTIO_NET_F_STATUS', () => {
    const guest = new NetGuest({ features: VERSION_1 });
    guest.device.setLinkUp(false);
    expect(guest.configChanges).toBe(0);
  });

  it('changes the generation of the configuration, with a driver or without', () => {
    const guest = new NetGuest();
    const generations = [guest.session.configGeneration];
    const pull = (up: boolean) => {
      guest.device.setLinkUp(up);
      generations.push(guest.session.configGeneration);
    };
    pull(false);
    guest.session.writeStatus(0);
    pull(true);
    guest.session.writeStatus(3);
    pull(false);
    guest.up(VERSION_1);
    pull(true);
    expect(new Set(generations).size).toBe(5);
    pull(true);
    expect(generations.at(-1)).toBe(generations.at(-2));
  });

  it('shows before there is a driver', () => {
    const device = create();
    device.setLinkUp(false);
    expect(device.readConfig(6, 1)).toBe(0);
  });

  it('that is down loses frames of both directions, and takes the buffers of the driver', () => {
    const guest = new NetGuest();
    guest.giveBuffers([2000]);
    guest.device.setLinkUp(false);
    guest.backend.deliver(testFrame(60, 1));
    guest.work();
    expect(guest.send(withHeader(testFrame(60, 2)))).toBe(true);
    guest.device.setLinkUp(true);
    guest.work();
    expect([guest.usedBuffers(), guest.backend.sent]).toEqual([[], []]);
    expect(guest.device.counters).toMatchObject({ receiveDrops: 1, sendDrops: 1 });
    guest.backend.deliver(testFrame(60, 3));
    guest.work();
    expect(guest.usedBuffers()).toEqual([withHeader(testFrame(60, 3), { numBuffers: 1 })]);
  });

  it('that goes down frees what waits for the network', () => {
    const guest = new NetGuest();
    guest.backend.room = 0;
    expect(guest.send(withHeader(testFrame(60, 1)))).toBe(false);
    guest.backend.setLink(false);
    guest.work();
    expect([guest.sendBuffersUsed(), guest.device.counters.sendDrops]).toEqual([1, 1]);
  });
});

describe('a reset', () => {
  it('gives up the frame that waits for buffers, and what comes meanwhile waits for the next driver', () => {
    const guest = new NetGuest({ features: VERSION_1 | MRG_RXBUF });
    guest.giveBuffers([100]);
    guest.backend.deliver(testFrame(500, 1));
    guest.work();
    guest.session.writeStatus(0);
    expect(guest.device.counters.receiveDrops).toBe(1);
    guest.backend.deliver(testFrame(60, 2));
    guest.work();
    const next = new NetGuest();
    expect(next.usedBuffers()).toEqual([]);
    const [receive] = guest.up();
    receive!.add([], [{ address: 0x10_0000, length: 100 }], 0);
    guest.session.service();
    const used = { token: -1, length: -1 };
    expect(receive!.takeUsed(used)).toBe(true);
    expect(used.length).toBe(72);
  });

  it('of the receive queue alone gives up its buffers', () => {
    const RING_RESET = 0x100_0000_0000n;
    const guest = new NetGuest({ features: VERSION_1 | MRG_RXBUF | STATUS | RING_RESET });
    guest.giveBuffers([100]);
    guest.backend.deliver(testFrame(500, 1));
    guest.work();
    guest.session.queue(0)!.reset();
    guest.backend.deliver(testFrame(60, 2));
    guest.work();
    expect(guest.send(withHeader(testFrame(60, 3)))).toBe(true);
    expect(guest.backend.sent).toEqual([testFrame(60, 3)]);
    expect(guest.device.counters.receiveDrops).toBe(1);
  });
});

it('frames go both ways at once', () => {
  const guest = new NetGuest({ features: VERSION_1 | MTU, device: { mtu: 1500 } });
  for (let round = 0; round < 40; round += 1) {
    guest.giveBuffers([1526]);
    guest.backend.deliver(testFrame(100 + round, round));
    expect(guest.send(withHeader(testFrame(200 + round, round)))).toBe(true);
    expect(guest.usedBuffers()).toEqual([
      withHeader(testFrame(100 + round, round), { numBuffers: 1 }),
    ]);
    expect(guest.backend.sent.splice(0)).toEqual([testFrame(200 + round, round)]);
  }
  expect(guest.device.counters).toEqual({
    receivedFrames: 40,
    receivedBytes: 40 * 100 + 780,
    receiveDrops: 0,
    sentFrames: 40,
    sentBytes: 40 * 200 + 780,
    sendDrops: 0,
  });
});
