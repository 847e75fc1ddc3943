/** BlockDriver against our own virtio-blk, with device addresses that are not the driver's. */
import { ArrayGuestMemory, type GuestMemory } from '@viommu/virtqueue';
import { DeviceSession } from '@viommu/virtqueue/device';
import type { DriverTransport } from '@viommu/virtqueue/driver';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryDisk, VirtioBlockDevice } from '../index.ts';
import { BlockDriver } from './block-driver.ts';

const BUFFER = new ArrayBuffer(0x40000);
/** The driver sees memory from 0 on, the device from here on. */
const SHIFT = 0x7000_0000;
const memory = new ArrayGuestMemory([{ base: 0, buffer: BUFFER }]);
const deviceMemory: GuestMemory = new ArrayGuestMemory([{ base: SHIFT, buffer: BUFFER }]);

let content: Uint8Array;
let session: DeviceSession;
let interrupts: number;

beforeEach(() => {
  content = Uint8Array.from({ length: 64 * 512 }, (_, index) => (index * 31 + (index >> 9)) & 0xff);
  interrupts = 0;
});

function transportTo(device: VirtioBlockDevice): DriverTransport {
  session = new DeviceSession({
    device,
    memory: deviceMemory,
    interrupts: {
      usedBuffer: () => {
        interrupts += 1;
      },
      configChange() {},
    },
  });
  return {
    deviceId: device.deviceId,
    queueCount: 1,
    readStatus: () => session.status,
    writeStatus: (status) => session.writeStatus(status),
    readDeviceFeatures: () => session.offeredFeatures,
    writeDriverFeatures: (features) => {
      session.writeDriverFeatures(0, Number(features & 0xffff_ffffn));
      session.writeDriverFeatures(1, Number(features >> 32n));
    },
    readConfigGeneration: () => session.configGeneration,
    readConfig: (offset, width) => session.readConfig(offset, width),
    writeConfig: (offset, width, value) => session.writeConfig(offset, width, value),
    queueMaxSize: (index) => session.queue(index)?.maxSize ?? 0,
    enableQueue: (index, addresses) => {
      const queue = session.queue(index)!;
      queue.size = addresses.size;
      queue.writeAddress('descriptorArea', 0, addresses.descriptorArea);
      queue.writeAddress('driverArea', 0, addresses.driverArea);
      queue.writeAddress('deviceArea', 0, addresses.deviceArea);
      queue.enable();
    },
    resetQueue() {},
    notifyQueue: (index) => session.notify(index),
  };
}

function driverOf(readOnly = false, wait?: () => boolean): BlockDriver {
  const device = new VirtioBlockDevice({
    disk: new MemoryDisk(content, { readOnly }),
    id: 'a disk of 20 bytes..',
  });
  let next = 0;
  return new BlockDriver({
    transport: transportTo(device),
    memory,
    dma: {
      allocate(length) {
        const address = next;
        next += Math.ceil(length / 4096) * 4096;
        return { address, deviceAddress: address + SHIFT };
      },
    },
    bufferLength: 4096,
    wait:
      wait ??
      (() => {
        const before = interrupts;
        while (session.service()) {}
        return interrupts !== before;
      }),
  });
}

describe('BlockDriver', () => {
  it('reads size, cache and ID', () => {
    const disk = driverOf();
    expect([disk.capacity, disk.readOnly, disk.hasCache]).toEqual([64, false, true]);
    expect(disk.getId()).toBe('a disk of 20 bytes..');
  });

  it('reads more than its buffer holds', () => {
    const target = new Uint8Array(21 * 512);
    driverOf().read(3, target);
    expect(target).toEqual(content.slice(3 * 512, 24 * 512));
  });

  it('writes more than its buffer holds, and nothing else', () => {
    const before = content.slice();
    const source = new Uint8Array(17 * 512).fill(0xa5);
    const disk = driverOf();
    disk.write(40, source);
    disk.flush();
    before.set(source, 40 * 512);
    expect(content).toEqual(before);
  });

  it('says what the disk refuses', () => {
    const disk = driverOf(true);
    expect(disk.readOnly).toBe(true);
    expect(() => disk.write(0, new Uint8Array(512))).toThrow(
      expect.objectContaining({ code: 'S_IOERR' }),
    );
    expect(() => disk.read(64, new Uint8Array(512))).toThrow(
      expect.objectContaining({ code: 'S_IOERR' }),
    );
    expect(disk.transfer(77, 0, SHIFT, 512)).toBe(2);
  });

  it('reaches whatever address it is told, as the device sees it', () => {
    const disk = driverOf();
    expect(disk.transfer(0, 5, SHIFT + 0x20000, 512)).toBe(0);
    expect(new Uint8Array(BUFFER, 0x20000, 512)).toEqual(content.slice(5 * 512, 6 * 512));
    expect(disk.transfer(0, 5, 0x20000, 512)).toBe(1);
    disk.read(0, new Uint8Array(512));
  });

  it('gives up when it is told to', () => {
    const disk = driverOf(false, () => false);
    expect(() => disk.flush()).toThrow(expect.objectContaining({ code: 'NO_ANSWER' }));
  });

  it('refuses another device', () => {
    const device = new VirtioBlockDevice({ disk: new MemoryDisk(content), id: '' });
    const transport = { ...transportTo(device), deviceId: 4 };
    const dma = { allocate: () => ({ address: 0, deviceAddress: 0 }) };
    expect(() => new BlockDriver({ transport, memory, dma, wait: () => false })).toThrow(
      expect.objectContaining({ code: 'NOT_A_DISK' }),
    );
  });
});
