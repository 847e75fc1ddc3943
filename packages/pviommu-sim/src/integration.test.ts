import { VirtioIommuDevice } from '@viommu/iommu-core';
import {
  ArrayGuestMemory,
  createDescriptorChain,
  type GuestMemory,
  PackedVirtqueue,
  SplitVirtqueue,
} from '@viommu/virtqueue';
import { DeviceSession } from '@viommu/virtqueue/device';
import { createDriverQueue, type DriverQueue } from '@viommu/virtqueue/driver';
import { beforeEach, describe, expect, it } from 'vitest';
import { simBackend } from './sim-backend.ts';

const ENDPOINT = 0x28;
const REQUEST_RING = 0x1000;
const EVENT_RING = 0x3000;
const REQUEST = 0x5000;
const ANSWER = 0x5800;
const EVENT = 0x6000;
const FEATURES = 0x77;
const VERSION_1 = 1n << 32n;
const RING_PACKED = 1n << 34n;
const RING_RESET = 1n << 40n;

/** A driver on real rings in guest memory, as a kernel would have it, but for its transport. */
class Guest {
  readonly memory = new ArrayGuestMemory([{ base: 0, buffer: new SharedArrayBuffer(0x4_0000) }]);
  readonly interrupts: number[] = [];
  readonly device = new VirtioIommuDevice({
    backend: simBackend(),
    endpoints: [{ id: ENDPOINT }],
    bootBypass: false,
  });
  readonly session = new DeviceSession({
    device: this.device,
    memory: this.memory,
    interrupts: { usedBuffer: (queue) => this.interrupts.push(queue), configChange: () => {} },
    packed: true,
  });
  #requests!: DriverQueue;
  #events!: DriverQueue;
  readonly used = { token: 0, length: 0 };
  readonly #features: bigint;

  /** @param layout VIRTIO_F_RING_PACKED or none */
  constructor(layout: bigint) {
    this.#features = VERSION_1 | RING_RESET | layout;
  }

  up(): void {
    this.session.writeStatus(0);
    this.session.writeStatus(3);
    this.session.writeDriverFeatures(0, FEATURES);
    this.session.writeDriverFeatures(1, Number(this.#features >> 32n));
    this.session.writeStatus(0xb);
    expect(this.session.status).toBe(0xb);
    this.#requests = this.#enable(0, REQUEST_RING, 64);
    this.#events = this.#enable(1, EVENT_RING, 16);
    this.session.writeStatus(0xf);
    this.addEventBuffer();
  }

  /** Linux fills the event queue after DRIVER_OK, and does not kick. */
  addEventBuffer(): void {
    this.#events.add([], [{ address: EVENT, length: 24 }], 7);
  }

  /** Resets the event queue alone, and enables it elsewhere. */
  moveEvents(address: number, size: number): void {
    const queue = this.session.queue(1)!;
    queue.reset();
    expect([queue.enabled, queue.resetting]).toEqual([false, false]);
    this.#events = this.#enable(1, address, size);
  }

  #enable(index: number, address: number, size: number): DriverQueue {
    const { memory } = this;
    const driverQueue = createDriverQueue({ features: this.#features, size, memory, address });
    const { descriptorArea, driverArea, deviceArea } = driverQueue.addresses;
    const queue = this.session.queue(index)!;
    queue.size = size;
    queue.writeAddress('descriptorArea', 0, descriptorArea);
    queue.writeAddress('driverArea', 0, driverArea);
    queue.writeAddress('deviceArea', 0, deviceArea);
    queue.enable();
    return driverQueue;
  }

  /** Sends a request in three readable descriptors; @returns the status */
  send(request: Uint8Array): number {
    this.memory.write(REQUEST, request, 0, request.length);
    this.#requests.add(
      [
        { address: REQUEST, length: 3 },
        { address: REQUEST + 3, length: 9 },
        { address: REQUEST + 12, length: request.length - 12 },
      ],
      [{ address: ANSWER, length: 4 }],
      1,
    );
    this.session.notify(0);
    expect(this.session.service()).toBe(false);
    expect(this.#requests.takeUsed(this.used)).toBe(true);
    expect(this.used).toEqual({ token: 1, length: 4 });
    return this.bytes(ANSWER, 1)[0]!;
  }

  attach(domain: number): number {
    return this.send(
      Uint8Array.of(1, 0, 0, 0, domain, 0, 0, 0, ENDPOINT, ...new Array(11).fill(0)),
    );
  }

  map(domain: number, virtStart: number, length: number, physStart: number): number {
    const view = new DataView(new ArrayBuffer(36));
    view.setUint8(0, 3);
    view.setUint32(4, domain, true);
    view.setBigUint64(8, BigInt(virtStart), true);
    view.setBigUint64(16, BigInt(virtStart + length - 1), true);
    view.setBigUint64(24, BigInt(physStart), true);
    view.setUint32(32, 3, true);
    return this.send(new Uint8Array(view.buffer));
  }

  unmapAll(domain: number): number {
    const zeroes = new Array(8).fill(0);
    const ones = new Array(8).fill(0xff);
    return this.send(Uint8Array.of(4, 0, 0, 0, domain, 0, 0, 0, ...zeroes, ...ones, 0, 0, 0, 0));
  }

  takeEvent(): Uint8Array | undefined {
    return this.#events.takeUsed(this.used) ? this.bytes(EVENT, this.used.length) : undefined;
  }

  bytes(address: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    expect(this.memory.read(address, bytes, 0, length)).toBe(true);
    return bytes;
  }
}

describe.each([
  ['split', 0n],
  ['packed', RING_PACKED],
])('VirtioIommuDevice on simBackend, over %s virtqueues', (_layout, layout) => {
  let guest: Guest;
  let dma: GuestMemory;

  beforeEach(() => {
    guest = new Guest(layout);
    guest.up();
    dma = guest.device.endpointMemory(ENDPOINT, guest.memory);
  });

  it('serves requests, translates, faults, and forgets all on reset', () => {
    expect(guest.attach(5)).toBe(0);
    expect(guest.map(5, 0xffff_0000, 0x2000, 0x1_0000)).toBe(0);
    expect(guest.map(5, 0xffff_2000, 0x1000, 0x2_0000)).toBe(0);
    expect(dma.write(0xffff_1ffe, Uint8Array.of(1, 2, 3, 4), 0, 4)).toBe(true);
    expect([...guest.bytes(0x1_1ffe, 2)]).toEqual([1, 2]);
    expect([...guest.bytes(0x2_0000, 2)]).toEqual([3, 4]);
    expect(guest.takeEvent()).toBeUndefined();
    expect(guest.unmapAll(5)).toBe(0);
    expect(dma.write(0xffff_0000, Uint8Array.of(9), 0, 1)).toBe(false);
    expect([...guest.takeEvent()!]).toEqual([
      ...[2, 0, 0, 0, 2, 1, 0, 0, ENDPOINT, 0, 0, 0, 0, 0, 0, 0],
      ...[0, 0, 0xff, 0xff, 0, 0, 0, 0],
    ]);
    expect(guest.interrupts).toContain(1);
    expect(guest.map(5, 0xffff_0000, 0x2000, 0x1_0000)).toBe(0);
    guest.up();
    expect(dma.read(0xffff_0000, new Uint8Array(1), 0, 1)).toBe(false);
    expect(guest.takeEvent()![0]).toBe(1);
    expect(guest.map(5, 0xffff_0000, 0x2000, 0x1_0000)).toBe(6);
  });

  it('reports faults to an event queue that was reset and enabled elsewhere', () => {
    const fault = () => dma.write(0xffff_0000, Uint8Array.of(9), 0, 1);
    expect(fault()).toBe(false);
    expect(guest.takeEvent()![0]).toBe(1);
    guest.addEventBuffer();
    const before = guest.bytes(EVENT_RING, 0x200);
    guest.moveEvents(0x7000, 4);
    guest.interrupts.length = 0;
    // No buffer: the report is dropped, and the queue that was is not touched.
    expect(fault()).toBe(false);
    expect([guest.bytes(EVENT_RING, 0x200), guest.interrupts]).toEqual([before, []]);
    for (let round = 0; round < 6; round += 1) {
      guest.addEventBuffer();
      expect(fault()).toBe(false);
      expect([guest.takeEvent()![0], guest.interrupts.length]).toEqual([1, round + 1]);
    }
    expect(guest.session.status).toBe(0xf);
  });

  it('translates the ring of a device behind it, which breaks when it is unmapped', () => {
    const size = 256;
    const ring = 0x1_0000;
    const virtual = 0x7f_0000_0000;
    guest.attach(1);
    for (let page = 0; page < 3; page++) {
      expect(guest.map(1, virtual + page * 0x1000, 0x1000, ring + page * 0x1000)).toBe(0);
    }
    expect(guest.map(1, 0x4000, 0x1000, 0x2_0000)).toBe(0);
    const { memory } = guest;
    const place = { memory, address: ring, deviceAddress: virtual };
    const driver = createDriverQueue({ features: layout, size, ...place });
    const reasons: string[] = [];
    const queue = new (layout === RING_PACKED ? PackedVirtqueue : SplitVirtqueue)({
      ...driver.addresses,
      index: 0,
      memory: dma,
      eventIdx: false,
      indirect: true,
      onBroken: (reason) => reasons.push(reason),
    });
    const chain = createDescriptorChain(size);
    driver.add([], [{ address: 0x4010, length: 4 }], 3);
    expect(queue.pop(chain)).toBe(true);
    expect(chain.addresses[0]).toBe(0x4010);
    expect(dma.write(0x4010, Uint8Array.of(5, 6, 7, 8), 0, 4)).toBe(true);
    queue.pushUsed(chain.head, 4);
    expect(driver.takeUsed(guest.used)).toBe(true);
    expect(guest.used).toEqual({ token: 3, length: 4 });
    expect([...guest.bytes(0x2_0010, 4)]).toEqual([5, 6, 7, 8]);
    expect(guest.unmapAll(1)).toBe(0);
    driver.add([], [{ address: 0x4010, length: 4 }], 4);
    expect(queue.pop(chain)).toBe(false);
    expect(queue.broken).toBe(true);
    expect(reasons).toHaveLength(1);
    expect(guest.takeEvent()![0]).toBe(2);
  });
});
