/**
 * Two virtio-iommu devices in one process, each with its driver: their endpoints have the same IDs and are
 * different devices. What is passed through lies behind one IOMMU of the host.
 */
import { DmaEngineFunction } from '@viommu/devices';
import { DmaEngineDriver } from '@viommu/devices/driver';
import { VirtioIommuDevice } from '@viommu/iommu-core';
import {
  AddressAllocator,
  createVfioIommu,
  IommuDriver,
  ProcessMemory,
} from '@viommu/iommu-driver';
import {
  HostMemory,
  MemorySlots,
  nestedBackend,
  type PassedThrough,
  PhysicalIommu,
} from '@viommu/pviommu-sim';
import {
  InProcessBus,
  type InProcessTransport,
  MMIO_TRANSPORT,
  PCI_TRANSPORT,
} from '@viommu/scenarios';
import type { PciFunction } from '@viommu/transport-pci';
import { VfioContainer } from '@viommu/vfio';
import { ArrayGuestMemory, type GuestMemory } from '@viommu/virtqueue';
import { beforeEach, describe, expect, it } from 'vitest';

const PAGE = 4096;
const READ_WRITE = 3;
const MMIO = 4;
const RAM = { base: 0x4000_0000, length: 4 << 20 };
/** The same two IDs behind both IOMMUs: an engine of the host, and a virtual device. */
const ENGINE = 0x28;
const VIRTUAL = 0x30;
const DOMAIN = 1;
const IOVA = 0x1000_0000;
const NOENT = 6;
const NOMEM = 8;
const MESSAGE = { address: 0xfee0_0000, data: 1 };

/** The host, and the memory of the one guest. */
class Host {
  readonly memory = new ArrayGuestMemory([
    { base: RAM.base, buffer: new SharedArrayBuffer(RAM.length) },
  ]);
  readonly pages = new AddressAllocator(RAM.base, RAM.base + RAM.length - 1, PAGE);
  readonly physical = new PhysicalIommu();
  readonly host = new HostMemory({ frameSize: PAGE });
  readonly slots = new MemorySlots();

  constructor() {
    const userAddress = this.host.mapMemory(this.memory, RAM.base, RAM.length);
    this.slots.add({ guestStart: RAM.base, length: RAM.length, userAddress });
  }

  passThrough(hostEndpoint: number, dmaEntryLimit = 65535): PassedThrough {
    const container = new VfioContainer({
      iommu: this.physical.createAddressSpace(),
      userMemory: this.host,
      dmaEntryLimit,
    });
    expect(container.attachGroup({ endpoints: [hostEndpoint] })).toBe(0);
    return { hostEndpoint, container };
  }
}

/** One virtio-iommu with its driver, and the engine behind it. */
class Side {
  readonly devices = new Map<number, PassedThrough>();
  readonly iommu: VirtioIommuDevice;
  readonly engine: DmaEngineFunction;
  readonly iommuFunction: PciFunction;
  readonly virtual: GuestMemory;
  driver!: IommuDriver;
  engineDriver!: DmaEngineDriver;

  constructor(over: InProcessTransport, host: Host, hostEndpoint: number, dmaEntryLimit?: number) {
    this.devices.set(ENGINE, host.passThrough(hostEndpoint, dmaEntryLimit));
    this.iommu = new VirtioIommuDevice({
      backend: nestedBackend({
        slots: host.slots,
        physical: host.physical,
        passedThrough: (endpoint) => this.devices.get(endpoint),
      }),
      endpoints: [{ id: ENGINE }, { id: VIRTUAL }],
      bootBypass: false,
    });
    this.iommuFunction = over.createFunction({ device: this.iommu });
    this.engine = new DmaEngineFunction({
      memory: () => this.iommu.endpointMemory(ENGINE, host.host),
    });
    this.virtual = this.iommu.endpointMemory(VIRTUAL, host.memory);
  }

  up(bus: InProcessBus, { memory, pages }: Host): void {
    const transport = bus.transportOf(this.iommuFunction);
    this.driver = new IommuDriver({ transport, memory, pages, wait: bus.wait });
    this.engineDriver = new DmaEngineDriver({
      access: this.engine,
      message: MESSAGE,
      wait: bus.wait,
    });
  }

  takeFault(): { endpoint: number; address: number } | undefined {
    const fault = { reason: 0, flags: 0, endpoint: 0, address: 0 };
    if (!this.driver.takeFault(fault)) return undefined;
    return { endpoint: fault.endpoint, address: fault.address };
  }
}

function statusOf(request: () => void): number {
  try {
    request();
    return 0;
  } catch (error) {
    return (error as { status: number }).status;
  }
}

describe.each([
  ['PCI', PCI_TRANSPORT],
  ['MMIO', MMIO_TRANSPORT],
])('two IOMMUs in one process, over %s', (_, over) => {
  let host: Host;
  let a: Side;
  let b: Side;
  let bus: InProcessBus;

  const create = (dmaEntryLimit?: number): void => {
    host = new Host();
    [a, b] = [new Side(over, host, 0x0300, dmaEntryLimit), new Side(over, host, 0x0400)];
    bus = new InProcessBus(
      [a.iommuFunction, b.iommuFunction, a.engine, b.engine],
      host.memory,
      over,
    );
    for (const side of [a, b]) side.up(bus, host);
  };
  /** A page for the endpoint at IOVA, filled with a byte. */
  const mapPage = (side: Side, fill: number, iova = IOVA): number => {
    const page = host.pages.allocate(PAGE);
    host.memory.write(page, new Uint8Array(PAGE).fill(fill), 0, PAGE);
    side.driver.map(DOMAIN, iova, iova + PAGE - 1, page, READ_WRITE);
    return page;
  };
  const byteAt = (memory: GuestMemory, address: number): number | undefined => {
    const byte = new Uint8Array(1);
    return memory.read(address, byte, 0, 1) ? byte[0] : undefined;
  };

  beforeEach(() => create());

  it('translate the same endpoint ID, domain and address each to its own memory', () => {
    for (const [side, fill] of [
      [a, 0xaa],
      [b, 0xbb],
    ] as const) {
      side.driver.attach(DOMAIN, ENGINE);
      side.driver.attach(DOMAIN, VIRTUAL);
      mapPage(side, fill);
      mapPage(side, 0, IOVA + PAGE);
    }
    for (const [side, fill] of [
      [a, 0xaa],
      [b, 0xbb],
    ] as const) {
      expect(byteAt(side.virtual, IOVA)).toBe(fill);
      expect(side.engineDriver.copy(IOVA, IOVA + PAGE, PAGE).done).toBe(true);
      expect(byteAt(side.virtual, IOVA + PAGE)).toBe(fill);
    }
    a.driver.unmap(DOMAIN, IOVA, IOVA + PAGE - 1);
    expect(a.engineDriver.copy(IOVA, IOVA + PAGE, PAGE)).toMatchObject({
      done: false,
      errorAddress: IOVA,
    });
    expect(b.engineDriver.copy(IOVA, IOVA + PAGE, PAGE).done).toBe(true);
    expect(a.takeFault()).toEqual({ endpoint: ENGINE, address: IOVA });
    expect(b.takeFault()).toBeUndefined();
  });

  it('have each its own bypass, reset and driver', () => {
    a.driver.setBypass(true);
    expect(byteAt(a.virtual, RAM.base)).toBeDefined();
    expect(byteAt(b.virtual, RAM.base)).toBeUndefined();
    b.driver.attach(DOMAIN, ENGINE);
    mapPage(b, 0xbb);
    mapPage(b, 0, IOVA + PAGE);
    a.iommu.systemReset();
    expect(b.engineDriver.copy(IOVA, IOVA + PAGE, PAGE).done).toBe(true);
  });

  it('lose an endpoint each for itself, and a copy under way ends with an error', () => {
    for (const side of [a, b]) {
      side.driver.attach(DOMAIN, ENGINE);
      mapPage(side, 0x11);
      mapPage(side, 0, IOVA + PAGE);
    }
    a.iommu.removeEndpoint(ENGINE);
    expect(a.engineDriver.copy(IOVA, IOVA + PAGE, PAGE).done).toBe(false);
    expect(a.takeFault()).toBeUndefined();
    expect(statusOf(() => a.driver.attach(DOMAIN, ENGINE))).toBe(NOENT);
    expect(b.engineDriver.copy(IOVA, IOVA + PAGE, PAGE).done).toBe(true);
    // The host's device goes from the one to the other, as an endpoint that was not there before.
    const { container } = a.devices.get(ENGINE)!;
    expect(container.info.dmaAvailable).toBe(65535);
    b.devices.set(0x31, { hostEndpoint: 0x0300, container });
    b.iommu.addEndpoint({ id: 0x31 });
    b.driver.attach(DOMAIN, 0x31);
    const moved = b.iommu.endpointMemory(0x31, host.host);
    expect(byteAt(moved, IOVA)).toBe(0x11);
  });

  it("let the engine of one write registers of the other's, by a MAP with the MMIO flag", () => {
    const bar = 0xfe00_0000;
    const registers = {
      read: (offset: number, width: 1 | 2 | 4) => b.engine.readBar(0, offset, width),
      write: (offset: number, width: 1 | 2 | 4, value: number) =>
        b.engine.writeBar(0, offset, width, value),
    };
    const userAddress = host.host.mapRegisters(registers, PAGE);
    host.slots.add({ guestStart: bar, length: PAGE, userAddress });
    a.driver.attach(DOMAIN, ENGINE);
    const buffer = mapPage(a, 0);
    a.driver.map(DOMAIN, IOVA + PAGE, IOVA + 2 * PAGE - 1, bar, READ_WRITE | MMIO);
    const wanted = new DataView(new ArrayBuffer(4));
    wanted.setUint32(0, 0x1234_5678, true);
    host.memory.write(buffer, new Uint8Array(wanted.buffer), 0, 4);
    // SOURCE of the peer; the first engine is idle again when it has written.
    expect(a.engineDriver.copy(IOVA, IOVA + PAGE + 8, 4).done).toBe(true);
    expect(b.engine.readBar(0, 8, 4)).toBe(0x1234_5678);
    // And back: the peer's ID register, into memory.
    expect(a.engineDriver.copy(IOVA + PAGE, IOVA + 8, 4).done).toBe(true);
    expect([8, 9, 10, 11].map((at) => byteAt(host.memory, buffer + at))).toEqual([
      ...new TextEncoder().encode('VDMA'),
    ]);
    // The guest moves the BAR: what it had mapped leads nowhere, until it maps the new place.
    host.slots.move(bar, bar + 0x10_0000);
    expect(a.engineDriver.copy(IOVA, IOVA + PAGE + 8, 4)).toMatchObject({
      done: false,
      errorAddress: IOVA + PAGE + 8,
    });
    const map = (flags: number, physStart: number) => () =>
      a.driver.map(DOMAIN, IOVA + 2 * PAGE, IOVA + 3 * PAGE - 1, physStart, flags);
    expect(statusOf(map(READ_WRITE | MMIO, bar))).toBe(5);
    expect(statusOf(map(READ_WRITE | MMIO, bar + 0x10_0000))).toBe(0);
    expect(a.engineDriver.copy(IOVA, IOVA + 2 * PAGE + 8, 4).done).toBe(true);
  });

  it('tell the guest NOMEM when the host allows no more entries, and nothing is half made', () => {
    create(2);
    a.driver.attach(DOMAIN, ENGINE);
    const process = new ProcessMemory({ memory: host.memory, pages: host.pages });
    const buffer = process.mmap(3 * PAGE);
    const guest = new VfioContainer({
      iommu: createVfioIommu({ driver: a.driver, domain: DOMAIN }),
      userMemory: process,
    });
    expect(guest.attachGroup({ endpoints: [ENGINE] })).toBe(0);
    // Three pages that lie apart are three MAPs: the third has no room, so the program gets none of them.
    expect(guest.mapDma(buffer, IOVA, 3 * PAGE, READ_WRITE)).toBe(-12);
    expect(a.devices.get(ENGINE)!.container.info.dmaAvailable).toBe(2);
    expect(a.engineDriver.copy(IOVA, IOVA, 4).done).toBe(false);
    expect(guest.mapDma(buffer, IOVA, 2 * PAGE, READ_WRITE)).toBe(0);
    expect(statusOf(() => mapPage(a, 0, IOVA + 2 * PAGE))).toBe(NOMEM);
    expect(a.engineDriver.copy(IOVA, IOVA + PAGE, PAGE).done).toBe(true);
    expect(guest.unmapDma(IOVA, 2 * PAGE)).toBe(2 * PAGE);
    expect(statusOf(() => mapPage(a, 0, IOVA + 2 * PAGE))).toBe(0);
    // The other IOMMU has containers, and limits, of its own.
    b.driver.attach(DOMAIN, ENGINE);
    for (let page = 0; page < 4; page++) mapPage(b, 0, IOVA + page * PAGE);
  });

  it('do not share a device of the host', () => {
    const container = new VfioContainer({
      iommu: host.physical.createAddressSpace(),
      userMemory: host.host,
    });
    expect(container.attachGroup({ endpoints: [0x0300] })).toBe(-16);
  });
});
