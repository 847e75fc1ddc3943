/** Stages: machines as their drivers leave them at several points of their work, as snapshots. */
import { createMmioDriverTransport, type MmioDriverTransport } from '@viommu/transport-mmio/driver';
import { createPciDriverTransport, type PciDriverTransport } from '@viommu/transport-pci/driver';
import {
  createDriverQueue,
  type DriverQueue,
  type DriverTransport,
  initializeDevice,
} from '@viommu/virtqueue/driver';
import { restoreSnapshots } from '@viommu/virtqueue/snapshot';
import { type Blueprint, ENDPOINT, Machine, type MachinePart, OTHER_ENDPOINT } from './machine.ts';

export interface Stage {
  /** Of each part, in their order, as JSON. */
  readonly snapshots: string;
  readonly memory: Uint8Array;
}

const QUEUE_SIZE = 16;
/** Where things lie in guest-physical memory. */
const IOMMU_RINGS = 0x1000;
const REQUESTS = 0x2000;
const DEVICE_RINGS = 0x3000;
const BUFFERS = 0x4000;
/** Of a virtio function: reading its ISR status is all that a handler does. */
const ISR = 0x1000;
const RING_STEP = 0x800;
const REQUEST_STEP = 0x40;
/** The device sees all of memory from here on. */
export const SEEN_AT = 0x1_0000;
/** And again, several times in a row, from here on: room for long copies. */
const ALIASES_AT = 0x10_0000;
const ALIASES = 10;
const MEMORY_LAST = 0x7fff;
const DOMAIN = 1;
const ALL_FEATURES = 2n ** 64n - 1n;
const F_ACCESS_PLATFORM = 1n << 33n;
const MESSAGE_ADDRESS = 0xfee0_1000;
const ENGINE_LENGTH = 0x5_0000;

/** Off, up, kicked, served, waiting, broken: of each one snapshot, made by real drivers. */
export function createStages(blueprint: Blueprint): readonly Stage[] {
  const guest = new StagedGuest(blueprint);
  const steps = [
    () => {},
    () => guest.bringUp(),
    () => guest.kick(),
    () => guest.serve(),
    () => guest.leaveWaiting(),
    () => guest.breakQueues(),
  ];
  return steps.map((step) => {
    step();
    return guest.stage();
  });
}

/** A machine as it was then. */
export function putStage(machine: Machine, { snapshots, memory }: Stage): void {
  machine.bytes.set(memory);
  restoreAll(machine, JSON.parse(snapshots));
}

export function restoreAll(machine: Machine, snapshots: readonly unknown[]): void {
  restoreSnapshots(
    machine.parts.map(({ name, target }, index) => ({ name, target, snapshot: snapshots[index] })),
  );
}

class StagedGuest {
  readonly #machine: Machine;
  readonly #blueprint: Blueprint;
  #requests!: DriverQueue;
  #iommu!: DriverTransport;
  #queues: DriverQueue[] = [];
  #device: DriverTransport | undefined;

  constructor(blueprint: Blueprint) {
    this.#blueprint = blueprint;
    this.#machine = new Machine(blueprint);
  }

  stage(): Stage {
    const { bytes } = this.#machine;
    return { snapshots: JSON.stringify(this.#machine.snapshot()), memory: bytes.slice() };
  }

  bringUp(): void {
    const { parts } = this.#machine;
    this.#iommu = transportOf(parts[0]!, 0);
    const [requests] = this.#setUp(this.#iommu, IOMMU_RINGS, 0);
    this.#requests = requests!;
    this.#request([1, 4, DOMAIN], [4, ENDPOINT], [4, 0], [4, 0]);
    this.#map(SEEN_AT);
    for (let alias = 0; alias < ALIASES; alias += 1) {
      this.#map(ALIASES_AT + alias * (MEMORY_LAST + 1));
    }
    this.#request([1, 4, DOMAIN + 1], [4, OTHER_ENDPOINT], [4, 1], [4, 0]);
    this.serve();
    if (this.#blueprint.device === 'engine') this.#startEngine(0x100);
    else {
      this.#device = transportOf(parts.at(-1)!, 1);
      this.#queues = this.#setUp(this.#device, DEVICE_RINGS, SEEN_AT);
    }
  }

  kick(): void {
    this.#map(0x2_0000);
    if (this.#device === undefined) return;
    if (this.#blueprint.device === 'disk') {
      for (let sector = 0; sector < 3; sector += 1) this.#diskRequest(sector);
    } else {
      this.#send(100);
      this.#receiveInto(300);
    }
    for (const index of this.#queues.keys())
      this.#device.notifyQueue(index, this.#queues[index]!.next);
  }

  serve(): void {
    while (this.#machine.service()) {}
    for (const part of this.#machine.parts) if (part.kind === 'pci') part.target.readBar(0, ISR, 1);
    for (const transport of [this.#iommu, this.#device]) {
      (transport as Partial<MmioDriverTransport> | undefined)?.acknowledgeInterrupt?.();
    }
  }

  /** A frame without enough buffers, a copy half done, requests of which nobody was told. */
  leaveWaiting(): void {
    const { device } = this.#blueprint;
    if (device === 'engine') this.#startEngine(ENGINE_LENGTH);
    else if (device === 'disk') this.#diskRequest(1);
    else {
      this.#receiveInto(60);
      this.#machine.network.deliver(1514);
      this.#machine.network.deliver(64);
    }
    this.#machine.service();
  }

  /** Indices of the rings that no driver would write. */
  breakQueues(): void {
    this.#machine.bytes.fill(0xa5, DEVICE_RINGS, DEVICE_RINGS + 2 * RING_STEP);
    for (const index of this.#queues.keys())
      this.#device?.notifyQueue(index, this.#queues[index]!.next);
    this.#machine.service();
  }

  #setUp(transport: DriverTransport, rings: number, seenAt: number): DriverQueue[] {
    const queues: DriverQueue[] = [];
    const { memory } = this.#machine;
    initializeDevice(transport, {
      features: ALL_FEATURES & ~(seenAt === 0 ? F_ACCESS_PLATFORM : 0n),
      setUpQueues: (features) => {
        useMessages(transport);
        for (let index = 0; index < transport.queueCount; index += 1) {
          const address = rings + index * RING_STEP;
          const deviceAddress = address + seenAt;
          const size = QUEUE_SIZE;
          const place = { memory, address, deviceAddress, size };
          queues.push(createDriverQueue({ ...place, features }));
          transport.enableQueue(index, queues[index]!.addresses);
        }
      },
    });
    return queues;
  }

  #map(virtStart: number): void {
    this.#request([3, 4, DOMAIN], [8, virtStart], [8, virtStart + MEMORY_LAST], [8, 0], [4, 3]);
  }

  /** @param head type, then width and value of the first field @param fields further ones */
  #request(head: [number, number, number], ...fields: [number, number][]): void {
    const used = { token: 0, length: 0 };
    while (this.#requests.takeUsed(used)) {}
    const { bytes } = this.#machine;
    const slot = QUEUE_SIZE - this.#requests.freeCount;
    const at = REQUESTS + slot * REQUEST_STEP;
    const view = new DataView(bytes.buffer);
    bytes.fill(0, at, at + REQUEST_STEP);
    bytes[at] = head[0];
    let end = at + 4;
    for (const [width, value] of [[head[1], head[2]] as const, ...fields]) {
      if (width === 8) view.setBigUint64(end, BigInt(value), true);
      else view.setUint32(end, value, true);
      end += width;
    }
    this.#requests.add([{ address: at, length: end - at }], [{ address: end, length: 4 }], slot);
    this.#iommu.notifyQueue(0, this.#requests.next);
    if (this.#requests.freeCount < 2) this.serve();
  }

  #diskRequest(sector: number): void {
    const at = BUFFERS + sector * 0x400;
    this.#machine.bytes[at] = sector % 2;
    this.#machine.bytes[at + 8] = sector;
    const seen = at + SEEN_AT;
    const data = { address: seen + 16, length: 512 };
    const status = { address: seen + 0x300, length: 1 };
    const header = { address: seen, length: 16 };
    if (sector % 2 === 1) this.#queues[0]!.add([header, data], [status], sector);
    else this.#queues[0]!.add([header], [data, status], sector);
  }

  #receiveInto(length: number): void {
    this.#queues[0]!.add([], [{ address: SEEN_AT + BUFFERS, length }], 0);
  }

  #send(length: number): void {
    this.#queues[1]!.add([{ address: SEEN_AT + BUFFERS + 0x800, length }], [], 0);
  }

  #startEngine(length: number): void {
    const target = this.#machine.parts[1]!.target;
    if (!('writeBar' in target)) return;
    target.writeConfig(4, 2, 6);
    target.writeBar(0, 0x08, 4, ALIASES_AT);
    target.writeBar(0, 0x10, 4, ALIASES_AT + BUFFERS);
    target.writeBar(0, 0x18, 4, length);
    target.writeBar(0, 0x1c, 4, 1);
  }
}

function useMessages(transport: DriverTransport): void {
  const { msixVectors = 0, useMsix } = transport as Partial<PciDriverTransport>;
  if (useMsix === undefined || msixVectors === 0) return;
  const data = Array.from({ length: msixVectors }, (_, vector) => 0x40 + vector);
  useMsix.call(
    transport,
    data.map((each) => ({ address: MESSAGE_ADDRESS, data: each })),
  );
}

function transportOf(part: MachinePart, window: number): DriverTransport {
  if (part.kind === 'mmio') return createMmioDriverTransport(part.target);
  const { target } = part;
  if (part.name !== 'windows') return createPciDriverTransport(target);
  target.writeConfig(4, 2, 2);
  const base = window * 0x1000;
  return createMmioDriverTransport({
    read: (offset, width) => target.readBar(0, base + offset, width),
    write: (offset, width, value) => target.writeBar(0, base + offset, width, value),
  });
}
