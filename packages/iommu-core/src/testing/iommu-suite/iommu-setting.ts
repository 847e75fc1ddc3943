/** IommuSetting: a virtio-iommu under test that is up, and what a driver does with it, for the cases of iommuSuite. */
import { joinLe64 } from '@viommu/virtqueue';
import { VIRTIO_F_RING_PACKED } from '@viommu/virtqueue/device';
import { createDriverQueue, type DriverQueue, initializeDevice } from '@viommu/virtqueue/driver';
import { GuestBytes } from '@viommu/virtqueue/testing';
import { expect } from 'vitest';
import type { EndpointDma, IommuUnderTest } from './iommu-under-test.ts';
import {
  type Answer,
  EVENT_QUEUE,
  EVENT_SLOTS,
  type FaultEvent,
  REQUEST_QUEUE,
  RequestPort,
} from './request-port.ts';
import {
  attachBytes,
  detachBytes,
  F_ADDRESS,
  FAULT_SIZE,
  FEATURE,
  mapBytes,
  type Oddities,
  parseProperties,
  probeBytes,
  READ,
  TAIL_SIZE,
  unmapBytes,
  WRITE,
} from './wire.ts';

const PAGES = 16;
/** Of the place: pages that are mapped lie behind it. */
const PAGES_OFFSET = 0x4_0000;
const REQUEST_QUEUE_SIZE = 64;
const RING_ROOM = 0x2000;
const CONFIG_BYPASS = 36;
/** VIRTIO_IOMMU_PROBE_T_RESV_MEM. */
const RESV_MEM = 1;

/** What an access of an endpoint came to. */
export interface Reached {
  readonly allowed: boolean;
  /** Offset from the first page, and length, of each run of bytes that was written. */
  readonly at: readonly (readonly [offset: number, length: number])[];
}

export class IommuSetting {
  readonly device: IommuUnderTest;
  readonly bytes: GuestBytes;
  readonly offered: bigint;
  readonly packed: boolean;
  port!: RequestPort;
  /** What was agreed on. */
  features = 0n;
  /** The granule in bytes. */
  unit = 1;
  pageSizeMask = 0n;
  inputRange = { start: 0, end: 0 };
  domainRange = { start: 0, end: 0 };
  probeSize = 0;
  #free = 0;

  constructor(device: IommuUnderTest, packed: boolean) {
    this.device = device;
    this.packed = packed;
    this.bytes = new GuestBytes(device.memory);
    this.offered = device.transport.readDeviceFeatures();
    this.bringUp();
  }

  close(): void {
    this.device.close?.();
  }

  /** Resets the device and brings it up. @param without VIRTIO_IOMMU_F_* that are not accepted, as a mask */
  bringUp(without = 0n): void {
    const { transport, memory, place } = this.device;
    this.#free = place.start;
    const all = Object.values(FEATURE).reduce((mask, feature) => mask | feature, 0n);
    const queues: DriverQueue[] = [];
    this.features = initializeDevice(transport, {
      features: (all & ~FEATURE.BYPASS & ~without) | (this.packed ? VIRTIO_F_RING_PACKED : 0n),
      setUpQueues: (features) => {
        for (const [index, wanted] of [REQUEST_QUEUE_SIZE, EVENT_SLOTS].entries()) {
          const size = Math.min(wanted, transport.queueMaxSize(index));
          const address = this.#allocate(RING_ROOM);
          const queue = createDriverQueue({ features, memory, address, size });
          transport.enableQueue(index, queue.addresses);
          queues.push(queue);
        }
      },
    });
    this.#readConfig();
    this.port = new RequestPort({
      ...{ device: this.device, bytes: this.bytes, probeSize: this.probeSize },
      ...{ requests: queues[REQUEST_QUEUE]!, events: queues[EVENT_QUEUE]! },
      allocate: (length) => this.#allocate(length),
    });
  }

  #allocate(length: number): number {
    const address = this.#free;
    this.#free += Math.ceil(length / 64) * 64;
    expect(this.#free, 'the adapter gives too little place').toBeLessThanOrEqual(
      this.device.place.start + PAGES_OFFSET,
    );
    return address;
  }

  #readConfig(): void {
    const le32 = (offset: number) => this.device.transport.readConfig(offset, 4);
    const le64 = (offset: number) => joinLe64(le32(offset), le32(offset + 4));
    this.pageSizeMask = (BigInt(le32(4)) << 32n) | BigInt(le32(0));
    this.unit = Number(this.pageSizeMask & -this.pageSizeMask);
    this.inputRange = this.has('INPUT_RANGE')
      ? { start: le64(8), end: le64(16) }
      : { start: 0, end: Number.MAX_SAFE_INTEGER };
    this.domainRange = this.has('DOMAIN_RANGE')
      ? { start: le32(24), end: le32(28) }
      : { start: 0, end: 0xffff_ffff };
    this.probeSize = this.has('PROBE') ? le32(32) : 0;
  }

  has(feature: keyof typeof FEATURE): boolean {
    return (this.features & FEATURE[feature]) !== 0n;
  }

  get bypass(): number {
    return this.device.transport.readConfig(CONFIG_BYPASS, 1);
  }

  set bypass(value: number) {
    this.device.transport.writeConfig(CONFIG_BYPASS, 1, value);
  }

  // Names for the numbers of this device: endpoints, domains, virtual pages and physical ones.

  get endpoint(): number {
    return this.device.endpoints[0];
  }

  get other(): number {
    return this.device.endpoints[1];
  }

  domain(number: number): number {
    return this.domainRange.start + number;
  }

  /** First byte of a page, which may be a byte; pages are counted from the start of the input range. */
  start(page: number): number {
    const { unit, inputRange } = this;
    return Math.ceil(inputRange.start / unit) * unit + page * unit;
  }

  /** Last byte of a page. */
  end(page: number): number {
    return this.start(page + 1) - 1;
  }

  phys(page: number): number {
    return this.device.place.start + PAGES_OFFSET + page * this.unit;
  }

  // Requests. Each gives the status, without VIRTIO_IOMMU_S_.

  attach(domain: number, endpoint = this.endpoint, flags = 0, odd?: Oddities): string {
    return this.port.send(attachBytes(domain, endpoint, flags, odd)).status;
  }

  detach(domain: number, endpoint = this.endpoint, odd?: Oddities): string {
    return this.port.send(detachBytes(domain, endpoint, odd)).status;
  }

  map(
    domain: number,
    virtStart: bigint | number,
    virtEnd: bigint | number,
    physStart: bigint | number = this.phys(0),
    flags = READ | WRITE,
  ): string {
    return this.port.send(mapBytes(domain, virtStart, virtEnd, physStart, flags)).status;
  }

  unmap(
    domain: number,
    virtStart: bigint | number,
    virtEnd: bigint | number,
    odd?: Oddities,
  ): string {
    return this.port.send(unmapBytes(domain, virtStart, virtEnd, odd)).status;
  }

  probe(endpoint: number, length = this.probeSize, odd?: Oddities): Answer {
    return this.port.send(probeBytes(endpoint, odd), length + TAIL_SIZE);
  }

  /** RESV_MEM of an endpoint. */
  reservedRegions(endpoint: number): readonly { readonly start: bigint; readonly end: bigint }[] {
    const { writable } = this.probe(endpoint);
    return parseProperties(writable.subarray(0, this.probeSize)).list.filter(
      ({ type }) => type === RESV_MEM,
    );
  }

  /** Maps virtual pages to physical ones from the same number on, or from `to` on. */
  mapPages(domain: number, first: number, last = first, to = first, flags = READ | WRITE): string {
    return this.map(domain, this.start(first), this.end(last), this.phys(to), flags);
  }

  unmapPages(domain: number, first: number, last = first): string {
    return this.unmap(domain, this.start(first), this.end(last));
  }

  /** A domain with the endpoint in it, and nothing mapped. */
  attached(number = 1, endpoint = this.endpoint): number {
    const domain = this.domain(number);
    expect(this.attach(domain, endpoint), 'ATTACH').toBe('OK');
    return domain;
  }

  /** Of the pages 0 to 15 those that are mapped, seen by a MAP of each: it is refused where there is a mapping. */
  mappedPages(domain: number): number[] {
    const mapped: number[] = [];
    for (let page = 0; page < PAGES; page += 1) {
      const status = this.mapPages(domain, page);
      if (status === 'INVAL') mapped.push(page);
      else {
        expect(status, `MAP of page ${page}, to see whether it is mapped`).toBe('OK');
        expect(this.unmapPages(domain, page)).toBe('OK');
      }
    }
    return mapped;
  }

  // Accesses and faults.

  get dma(): EndpointDma {
    return this.device.dma!;
  }

  /** An endpoint writes; what it reached of the pages 0 to 15. */
  written(address: number, length: number, endpoint = this.endpoint): Reached {
    this.bytes.fill(this.phys(0), PAGES * this.unit, 0);
    const allowed = this.dma.write(endpoint, address, length);
    const pages = this.bytes.read(this.phys(0), PAGES * this.unit);
    const at: [number, number][] = [];
    for (let offset = 0; offset < pages.length; offset += 1) {
      if (pages[offset] === 0) continue;
      let last = offset;
      while (last + 1 < pages.length && pages[last + 1] !== 0) last += 1;
      at.push([offset, last + 1 - offset]);
      offset = last;
    }
    return { allowed, at };
  }

  /** An access is refused, and reaches none of the pages. */
  expectRefused(address: number, length = 1, endpoint = this.endpoint): void {
    expect(this.written(address, length, endpoint), `a write to 0x${address.toString(16)}`).toEqual(
      { allowed: false, at: [] },
    );
  }

  /** @param offset from the first page */
  expectReached(address: number, offset: number, length = 1, endpoint = this.endpoint): void {
    expect(this.written(address, length, endpoint), `a write to 0x${address.toString(16)}`).toEqual(
      { allowed: true, at: [[offset, length]] },
    );
  }

  takeFault(): FaultEvent | undefined {
    this.device.run();
    return this.port.takeEvent();
  }

  /** The next event tells of this fault. What flags say of reads and writes is optional. */
  expectFault(reason: number, address: number, endpoint = this.endpoint): void {
    const fault = this.takeFault();
    expect(fault, 'no fault is reported').toBeDefined();
    expect(fault!.used, 'the used length').toBe(FAULT_SIZE);
    const { flags } = fault!;
    const shownAddress = (flags & F_ADDRESS) !== 0 ? fault!.address : address;
    expect({ reason: fault!.reason, endpoint: fault!.endpoint, address: shownAddress }).toEqual({
      ...{ reason, endpoint, address },
    });
    expect([flags & ~(F_ADDRESS | READ | WRITE), fault!.reserved], 'reserved').toEqual([0, 0]);
  }
}
