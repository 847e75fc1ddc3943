/** A guest that does its worst to an IOMMU and a disk behind it: each takes what it must, says so, and the other goes on. */
import { MemoryDisk, VirtioBlockDevice } from '@viommu/devices';
import { BlockDriver } from '@viommu/devices/driver';
import { VirtioIommuDevice } from '@viommu/iommu-core';
import { AddressAllocator, DmaDomain, IommuDriver } from '@viommu/iommu-driver';
import { simBackend } from '@viommu/pviommu-sim';
import { InProcessBus, PCI_TRANSPORT } from '@viommu/scenarios';
import { createVirtioPciFunction, type PciFunction } from '@viommu/transport-pci';
import { ArrayGuestMemory } from '@viommu/virtqueue';
import type { DriverTransport } from '@viommu/virtqueue/driver';
import { createDriverQueue, initializeDevice } from '@viommu/virtqueue/driver';
import { beforeEach, describe, expect, it, vi } from 'vitest';

const DISK = 0x28;
const DOMAIN = 1;
const PAGE = 4096;
const RAM_LENGTH = 4 << 20;
/** Where the registers of a PC's devices are: no memory. */
const REGISTERS = 0xfe00_0000;
const NEEDS_RESET = 0x40;
/** Where kicks go, in BAR 0. */
const NOTIFY = 0x3000;
/** The field of the IOMMU's configuration, in BAR 0. */
const CONFIG_BYPASS = 0x2000 + 36;
const READ_WRITE = 3;
const ALL_FEATURES = (1n << 63n) - 1n;

let device: VirtioIommuDevice;
let blockDevice: VirtioBlockDevice;
let memory: ArrayGuestMemory;
let iommu: IommuDriver;
let dma: DmaDomain;
let pages: AddressAllocator;
let iommuFunction: PciFunction;
let diskFunction: PciFunction;
let diskTransport: DriverTransport;
let wait: () => boolean;

/** A PC of two devices; the driver of the IOMMU is up, and the disk in a domain. */
beforeEach(() => {
  device = new VirtioIommuDevice({
    backend: simBackend(),
    endpoints: [{ id: DISK }],
    bootBypass: false,
  });
  blockDevice = new VirtioBlockDevice({ disk: new MemoryDisk(new Uint8Array(64 * 512)) });
  const functions = [
    createVirtioPciFunction({ device, packed: true }),
    createVirtioPciFunction({
      device: blockDevice,
      memory: (host) => device.endpointMemory(DISK, host),
    }),
  ] as const;
  memory = new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(RAM_LENGTH) }]);
  const bus = new InProcessBus(functions, memory, PCI_TRANSPORT);
  ({ wait } = bus);
  pages = new AddressAllocator(0x1_0000, RAM_LENGTH - 1, PAGE);
  iommu = new IommuDriver({ transport: bus.transportOf(functions[0]), memory, pages, wait });
  dma = new DmaDomain({ driver: iommu, domain: DOMAIN, pages });
  dma.attach(DISK);
  [iommuFunction, diskFunction] = functions;
  diskTransport = bus.transportOf(diskFunction);
});

const openDisk = () =>
  new BlockDriver({ transport: diskTransport, memory, dma, wait, bufferLength: PAGE });

/** The IOMMU answers, whatever happened. */
function expectIommuWorks(): void {
  iommu.map(DOMAIN, 0x7000_0000, 0x7000_0fff, 0, READ_WRITE);
  iommu.unmap(DOMAIN, 0x7000_0000, 0x7000_0fff);
}

/** A fresh driver of the disk finds it as ever. */
function expectDiskWorks(): void {
  const disk = openDisk();
  const data = new Uint8Array(512).fill(7);
  disk.write(1, data);
  const read = new Uint8Array(512);
  disk.read(1, read);
  expect(read).toEqual(data);
}

/** Brings the disk up with a ring at addresses of the guest's choice, and kicks. */
function ringAt(
  addresses: Partial<Record<'descriptorArea' | 'driverArea' | 'deviceArea', number>>,
) {
  initializeDevice(diskTransport, {
    features: 1n << 33n,
    setUpQueues: () => {
      const rest = { descriptorArea: 0x1000, driverArea: 0x2000, deviceArea: 0x3000 };
      diskTransport.enableQueue(0, { size: 16, ...rest, ...addresses });
    },
  });
  diskTransport.notifyQueue(0);
  wait();
  return diskTransport.readStatus();
}

describe('kicks', () => {
  it('a million of them without a buffer are one look at the ring', () => {
    openDisk();
    const looks = vi.spyOn(blockDevice, 'notifyQueue');
    for (let kick = 0; kick < 1_000_000; kick += 1) diskTransport.notifyQueue(0);
    wait();
    expect(looks).toHaveBeenCalledTimes(1);
    looks.mockRestore();
    expectDiskWorks();
    expectIommuWorks();
  });

  it('of queues that are not there are none', () => {
    openDisk();
    const looks = vi.spyOn(blockDevice, 'notifyQueue');
    for (const queue of [1, 2, 1023]) diskFunction.writeBar(0, NOTIFY + 4 * queue, 2, queue);
    wait();
    expect(looks).not.toHaveBeenCalled();
  });
});

it('a hundred thousand writes of bypass keep nothing, and its last value counts', () => {
  openDisk();
  for (let write = 0; write < 100_000; write += 1) {
    iommuFunction.writeBar(0, CONFIG_BYPASS, 1, write % 2);
  }
  expect(device.readConfig(36, 1)).toBe(1);
  iommuFunction.writeBar(0, CONFIG_BYPASS, 1, 0);
  expectDiskWorks();
  expectIommuWorks();
});

describe('faults', () => {
  it('a hundred thousand without an event buffer are counted, kept nowhere, and the disk goes on', () => {
    const disk = openDisk();
    const fault = { reason: 0, flags: 0, endpoint: 0, address: 0 };
    let told = 0;
    for (let round = 0; round < 1000; round += 1) {
      for (let access = 0; access < 100; access += 1) {
        device.endpointMemory(DISK, memory).read(0xdead_0000, new Uint8Array(1), 0, 1);
      }
    }
    while (iommu.takeFault(fault)) told += 1;
    const { faults, eventsDelivered, eventsDropped } = device.counters;
    expect([faults, eventsDelivered + eventsDropped]).toEqual([100_000, 100_000]);
    // Those for which the driver had given buffers beforehand, and the ones it gives back as it takes them.
    expect(told).toBe(eventsDelivered);
    expect(told).toBeLessThanOrEqual(64);
    disk.write(0, new Uint8Array(512));
    expectIommuWorks();
  });
});

describe('descriptors', () => {
  it('of 4 GiB are refused or used up to their end, without a byte more of memory', () => {
    const disk = openDisk();
    const { deviceAddress } = dma.allocate(PAGE);
    const before = process.memoryUsage().arrayBuffers;
    // Larger than any transfer: an I/O error; beyond the mapping: a fault.
    expect(disk.transfer(0, 0, deviceAddress, 0xffff_fe00)).toBe(1);
    expect(disk.transfer(1, 0, deviceAddress, 0xffff_fe00)).toBe(1);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 << 20);
    expectIommuWorks();
  });
});

describe('rings', () => {
  beforeEach(() => {
    // The disk sees the first 64 KiB as they are.
    iommu.map(DOMAIN, 0, 0xffff, 0, READ_WRITE);
    memory.write(0, new Uint8Array(0x1_0000), 0, 0x1_0000);
  });

  it.each([
    ['the used ring on the descriptors', { deviceArea: 0x1000 }],
    ['the used ring on the available ring', { deviceArea: 0x2000 }],
    ['all on one another', { descriptorArea: 0x1000, driverArea: 0x1000, deviceArea: 0x1000 }],
  ])('%s: nothing throws, and both devices go on', (_what, addresses) => {
    // An available ring in which everything is 1: one descriptor, which is a loop of itself.
    memory.write(0x1000, new Uint8Array(0x3000).fill(1), 0, 0x3000);
    ringAt(addresses);
    expectIommuWorks();
    expectDiskWorks();
  });

  it.each([
    [
      'on device registers',
      { descriptorArea: REGISTERS, driverArea: REGISTERS, deviceArea: REGISTERS },
    ],
    ['at the end of what is mapped', { driverArea: 0xfffe }],
    ['where nothing is mapped', { driverArea: 0x9000_0000 }],
  ])('%s: the disk asks for a reset, and the IOMMU goes on', (_what, addresses) => {
    // Mapped, but to what is no memory.
    iommu.map(DOMAIN, REGISTERS, REGISTERS + 0xffff, REGISTERS, READ_WRITE);
    expect(ringAt(addresses) & NEEDS_RESET).toBe(NEEDS_RESET);
    expectIommuWorks();
    expectDiskWorks();
  });

  it('whose mapping goes away while it is in use: the same', () => {
    ringAt({});
    iommu.unmap(DOMAIN, 0, 0xffff);
    diskTransport.notifyQueue(0);
    wait();
    expect(diskTransport.readStatus() & NEEDS_RESET).toBe(NEEDS_RESET);
    expectIommuWorks();
    expectDiskWorks();
  });

  it('of the IOMMU, written by the disk that it translates for: the IOMMU asks for a reset at worst', () => {
    const disk = openDisk();
    // All of the guest's memory, the IOMMU's own rings with it.
    iommu.map(DOMAIN, 0x8000_0000, 0x8000_0000 + RAM_LENGTH - 1, 0, READ_WRITE);
    disk.write(0, new Uint8Array(16 * 512).fill(0xff));
    for (let page = 0x1_0000; page < 0x4_0000; page += PAGE) {
      disk.transfer(0, 0, 0x8000_0000 + page, PAGE);
    }
    // The guest has broken itself: whatever its driver says, nothing else is broken.
    try {
      expectIommuWorks();
    } catch (error) {
      expect(error).toMatchObject({ name: 'VirtioError' });
    }
    device.systemReset();
    expect(device.counters.requests.map.total).toBeGreaterThan(0);
  });
});

describe('a ring that the driver never gives back to', () => {
  it('lets the device stop, not wait', () => {
    const features = initializeDevice(diskTransport, {
      features: ALL_FEATURES & ~(1n << 34n) & ~(1n << 38n),
      setUpQueues: (agreed) => {
        const area = dma.allocate(PAGE);
        const { address, deviceAddress } = area;
        const queue = createDriverQueue({
          features: agreed,
          size: 16,
          memory,
          address,
          deviceAddress,
        });
        diskTransport.enableQueue(0, queue.addresses);
        const buffer = dma.allocate(PAGE);
        const at = buffer.deviceAddress;
        for (let token = 0; token < 8; token += 1) {
          queue.add([{ address: at, length: 16 }], [{ address: at + 512, length: 1 }], token);
        }
        // The same 16 descriptors again, as if the used ones had been taken: the index jumps by more than the queue has.
        memory.write(address + 16 * 16 + 2, Uint8Array.of(0xff, 0x7f), 0, 2);
      },
    });
    expect(features & (1n << 32n)).not.toBe(0n);
    diskTransport.notifyQueue(0);
    wait();
    expect(diskTransport.readStatus() & NEEDS_RESET).toBe(NEEDS_RESET);
    expectIommuWorks();
  });
});
