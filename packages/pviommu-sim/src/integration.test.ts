import { VirtioIommuDevice } from '@viommu/iommu-core';
import {
  ArrayGuestMemory,
  createDescriptorChain,
  type GuestMemory,
  SplitVirtqueue,
} from '@viommu/virtqueue';
import { DeviceSession } from '@viommu/virtqueue/device';
import { SplitDriverQueue, splitQueueLayout } from '@viommu/virtqueue/driver';
import { beforeEach, describe, expect, it } from 'vitest';
import { simBackend } from './sim-backend.ts';

const ENDPOINT = 0x28;
const REQUEST_RING = 0x1000;
const EVENT_RING = 0x3000;
const REQUEST = 0x5000;
const ANSWER = 0x5800;
const EVENT = 0x6000;
const FEATURES = 0x77;
const VERSION_1 = 1;

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
  });
  #requests!: SplitDriverQueue;
  #events!: SplitDriverQueue;
  readonly used = { token: 0, length: 0 };

  up(): void {
    this.session.writeStatus(0);
    this.session.writeStatus(3);
    this.session.writeDriverFeatures(0, FEATURES);
    this.session.writeDriverFeatures(1, VERSION_1);
    this.session.writeStatus(0xb);
    expect(this.session.status).toBe(0xb);
    this.#requests = this.#enable(0, REQUEST_RING, 64);
    this.#events = this.#enable(1, EVENT_RING, 16);
    this.session.writeStatus(0xf);
    // Linux fills the event queue after DRIVER_OK, and does not kick.
    this.#events.add([], [{ address: EVENT, length: 24 }], 7);
  }

  #enable(index: number, address: number, size: number): SplitDriverQueue {
    const queue = this.session.queue(index)!;
    const layout = splitQueueLayout(size);
    queue.size = size;
    queue.writeAddress('descriptorArea', 0, address + layout.descriptorArea);
    queue.writeAddress('driverArea', 0, address + layout.driverArea);
    queue.writeAddress('deviceArea', 0, address + layout.deviceArea);
    const driverQueue = new SplitDriverQueue({
      size,
      memory: this.memory,
      address,
      eventIdx: false,
    });
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

describe('VirtioIommuDevice on simBackend, over real rings', () => {
  let guest: Guest;
  let dma: GuestMemory;

  beforeEach(() => {
    guest = new Guest();
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

  it('translates the ring of a device behind it, which breaks when it is unmapped', () => {
    const size = 256;
    const layout = splitQueueLayout(size);
    const ring = 0x1_0000;
    const virtual = 0x7f_0000_0000;
    guest.attach(1);
    for (let page = 0; page < 3; page++) {
      expect(guest.map(1, virtual + page * 0x1000, 0x1000, ring + page * 0x1000)).toBe(0);
    }
    expect(guest.map(1, 0x4000, 0x1000, 0x2_0000)).toBe(0);
    const { memory } = guest;
    const driver = new SplitDriverQueue({ size, memory, address: ring, eventIdx: false });
    const reasons: string[] = [];
    const queue = new SplitVirtqueue({
      index: 0,
      size,
      memory: dma,
      descriptorArea: virtual + layout.descriptorArea,
      driverArea: virtual + layout.driverArea,
      deviceArea: virtual + layout.deviceArea,
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
