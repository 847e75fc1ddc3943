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

/** VIRTIO_F_RING_PACKED, VIRTIO_F_NOTIFICATION_DATA. */
const [PACKED, NOTIFICATION_DATA] = [1n << 34n, 1n << 38n];

let content: Uint8Array;
let session: DeviceSession;
let interrupts: number;
let kicks: (number | undefined)[];

beforeEach(() => {
  kicks = [];
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
    packed: true,
    transportFeatures: NOTIFICATION_DATA,
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
    notifyQueue: (index, next) => {
      kicks.push(next);
      session.notify(index);
    },
  };
}

interface DriverOptions {
  readonly readOnly?: boolean;
  readonly wait?: () => boolean;
  readonly features?: bigint;
  readonly prepare?: (transport: DriverTransport) => void;
}

function driverOf(options: DriverOptions = {}): BlockDriver {
  const { readOnly = false, wait, features = ~0n, prepare } = options;
  const device = new VirtioBlockDevice({
    disk: new MemoryDisk(content, { readOnly }),
    id: 'a disk of 20 bytes..',
  });
  let next = 0;
  const transport = transportTo(device);
  prepare?.(transport);
  return new BlockDriver({
    transport,
    memory,
    dma: {
      allocate(length) {
        const address = next;
        next += Math.ceil(length / 4096) * 4096;
        return { address, deviceAddress: address + SHIFT };
      },
    },
    bufferLength: 4096,
    features,
    wait:
      wait ??
      (() => {
        const before = interrupts;
        while (session.service()) {}
        return interrupts !== before;
      }),
  });
}

describe.each([
  ['split', ~PACKED],
  ['packed', ~0n],
])('BlockDriver over %s virtqueues', (layout, features) => {
  it('agrees on what it is told to, and on no more than is offered', () => {
    // ACCESS_PLATFORM 33, EVENT_IDX 29, FLUSH 9; RO 5 is not offered.
    const both = 0x43_2000_0200n | (layout === 'packed' ? PACKED : 0n);
    expect(driverOf({ features }).features).toBe(both);
    expect(driverOf({ features: 1n << 33n }).features).toBe(3n << 32n);
  });

  it('says with a kick how far it is', () => {
    const disk = driverOf({ features });
    disk.flush();
    disk.getId();
    // A flush takes 2 descriptors, a request with data 3; bit 15 is the wrap counter.
    expect(kicks).toEqual(layout === 'packed' ? [0x8002, 0x8005] : [1, 2]);
    kicks.length = 0;
    driverOf({ features: features & ~NOTIFICATION_DATA }).flush();
    expect(kicks).toEqual([undefined]);
  });

  it('gives a device without ACCESS_PLATFORM addresses of memory itself, and no others', () => {
    expect(() => driverOf({ features: features & ~(1n << 33n) })).toThrow(
      expect.objectContaining({ code: 'NO_ACCESS_PLATFORM' }),
    );
  });

  it('reads the size again that changes meanwhile, by halves', () => {
    const seen: number[][] = [];
    const disk = driverOf({
      features,
      prepare: (transport) => {
        const { readConfig } = transport;
        let generation = 0;
        transport.readConfigGeneration = () => generation;
        transport.readConfig = (offset, width) => {
          seen.push([offset, width]);
          const value = readConfig(offset, width);
          if (generation > 0) return value;
          generation += 1;
          return 0xffff_fff0;
        };
      },
    });
    expect(disk.capacity).toBe(64);
    const halves = [
      [0, 4],
      [4, 4],
    ];
    expect(seen).toEqual([...halves, ...halves]);
  });

  it('sends a flush of sector 0', () => {
    const disk = driverOf({ features });
    disk.read(5, new Uint8Array(512));
    disk.flush();
    // The header follows the ring: struct virtio_blk_req { le32 type; le32 reserved; le64 sector; }
    expect([...new Uint8Array(BUFFER, 0x1000, 16)]).toEqual([4, ...new Array(15).fill(0)]);
  });

  it('takes no data for read that the device did not say it wrote', () => {
    const disk = driverOf({
      features,
      prepare: () => {
        const { device } = session;
        const { activate } = device;
        device.activate = (context) => {
          const queues = context.queues.map((queue) => {
            if (queue !== undefined) {
              const { pushUsed } = queue;
              queue.pushUsed = (head, length) => pushUsed.call(queue, head, Math.min(length, 512));
            }
            return queue;
          });
          activate.call(device, { ...context, queues });
        };
      },
    });
    expect(disk.transfer(0, 5, SHIFT + 0x20000, 512)).toBe(255);
    expect(() => disk.read(5, new Uint8Array(512))).toThrow(
      expect.objectContaining({ code: 'status 255' }),
    );
  });

  it('reads size, cache and ID', () => {
    const disk = driverOf({ features });
    expect([disk.capacity, disk.readOnly, disk.hasCache]).toEqual([64, false, true]);
    expect(disk.getId()).toBe('a disk of 20 bytes..');
  });

  it('reads more than its buffer holds', () => {
    const target = new Uint8Array(21 * 512);
    driverOf({ features }).read(3, target);
    expect(target).toEqual(content.slice(3 * 512, 24 * 512));
  });

  it('writes more than its buffer holds, and nothing else', () => {
    const before = content.slice();
    const source = new Uint8Array(17 * 512).fill(0xa5);
    const disk = driverOf({ features });
    disk.write(40, source);
    disk.flush();
    before.set(source, 40 * 512);
    expect(content).toEqual(before);
  });

  it('says what the disk refuses', () => {
    const disk = driverOf({ features, readOnly: true });
    expect(disk.readOnly).toBe(true);
    expect(() => disk.write(0, new Uint8Array(512))).toThrow(
      expect.objectContaining({ code: 'S_IOERR' }),
    );
    expect(disk.transfer(77, 0, SHIFT, 512)).toBe(2);
  });

  it('asks for whole sectors within the capacity alone', () => {
    const disk = driverOf({ features });
    kicks.length = 0;
    for (const [sector, length] of [
      [64, 512],
      [63, 1024],
      [-1, 512],
      [0.5, 512],
      [0, 100],
      [2 ** 60, 512],
    ] as const) {
      const refused = expect.objectContaining({ code: 'SECTORS' });
      expect(() => disk.read(sector, new Uint8Array(length))).toThrow(refused);
      expect(() => disk.write(sector, new Uint8Array(length))).toThrow(refused);
    }
    expect(kicks).toEqual([]);
    disk.read(63, new Uint8Array(512));
    expect(kicks).toHaveLength(1);
  });

  it('reaches whatever address it is told, as the device sees it', () => {
    const disk = driverOf({ features });
    expect(disk.transfer(0, 5, SHIFT + 0x20000, 512)).toBe(0);
    expect(new Uint8Array(BUFFER, 0x20000, 512)).toEqual(content.slice(5 * 512, 6 * 512));
    expect(disk.transfer(0, 5, 0x20000, 512)).toBe(1);
    disk.read(0, new Uint8Array(512));
  });

  it('gives up when it is told to', () => {
    const disk = driverOf({ features, wait: () => false });
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
