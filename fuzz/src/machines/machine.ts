/** Machine: an IOMMU and a device behind it, on either bus, with a little memory; what their host sees of them is noted. */
import { DmaEngineFunction, MemoryDisk, VirtioBlockDevice, VirtioNetDevice } from '@viommu/devices';
import { type TranslationResult, VirtioIommuDevice } from '@viommu/iommu-core';
import { createMmioWindowsFunction } from '@viommu/mmio-windows';
import { simBackend } from '@viommu/pviommu-sim';
import { createVirtioMmioDevice, type MmioDevice } from '@viommu/transport-mmio';
import { createVirtioPciFunction, type PciFunction } from '@viommu/transport-pci';
import { ArrayGuestMemory, type GuestMemory, type Logger, silentLogger } from '@viommu/virtqueue';
import type { VirtioDevice } from '@viommu/virtqueue/device';
import { violated } from '../engine/invariant.ts';
import { QuietNetwork } from './quiet-network.ts';
import { RefusingBackend } from './refusing-backend.ts';

export type DeviceKind = 'disk' | 'net' | 'engine';

/** What is on which bus. In `windows`, both devices are behind windows of one function. */
export interface Blueprint {
  readonly bus: 'msix' | 'intx' | 'mmio' | 'windows';
  readonly device: DeviceKind;
  readonly packed: boolean;
}

export const BLUEPRINTS: readonly Blueprint[] = [
  { bus: 'msix', device: 'disk', packed: true },
  { bus: 'mmio', device: 'net', packed: false },
  { bus: 'msix', device: 'engine', packed: false },
  { bus: 'windows', device: 'disk', packed: false },
  { bus: 'intx', device: 'net', packed: true },
  { bus: 'mmio', device: 'disk', packed: true },
];

export interface PciPart {
  readonly kind: 'pci';
  readonly name: string;
  readonly target: PciFunction;
}
interface MmioPart {
  readonly kind: 'mmio';
  readonly name: string;
  readonly target: MmioDevice;
}
export type MachinePart = PciPart | MmioPart;

/** What a part told its host. */
export interface HostEvents {
  message(part: number, vector: number, address: number, data: number): void;
  level(part: number, asserted: boolean): void;
}

export interface MachineOptions {
  /** The memory, of {@link MEMORY_LENGTH} bytes. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

export const MEMORY_LENGTH = 0x8000;
/** The device is this endpoint; the other one has nothing behind it. */
export const ENDPOINT = 8;
export const OTHER_ENDPOINT = 9;
const DISK_LENGTH = 0x600;
const QUEUE_SIZE = 16;
const WINDOWS_ID = { vendorId: 0x1af4, deviceId: 0x107f };
const NO_EVENTS: HostEvents = { message() {}, level() {} };

/** A device model that throws is caught by its session, and told to the logger alone. */
const STRICT_LOGGER: Logger = {
  ...silentLogger,
  error: (message) => violated(message),
};

export class Machine {
  /** Guest-physical memory, from 0 on. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly memory: ArrayGuestMemory;
  readonly network = new QuietNetwork();
  readonly iommu: VirtioIommuDevice;
  readonly parts: readonly MachinePart[];
  /** Hears of interrupts. */
  events: HostEvents = NO_EVENTS;
  readonly backend: RefusingBackend;
  readonly #diskBytes = new Uint8Array(DISK_LENGTH);

  constructor(blueprint: Blueprint, options: MachineOptions = {}) {
    const { bytes = new Uint8Array(MEMORY_LENGTH) } = options;
    this.bytes = bytes;
    this.memory = new ArrayGuestMemory([{ base: 0, buffer: bytes.buffer }]);
    let backend!: RefusingBackend;
    this.iommu = new VirtioIommuDevice({
      backend: (components) => {
        const sim = simBackend({ pageSizeMask: 0x1000n, inputBits: 40 });
        backend = new RefusingBackend(sim(components));
        return backend;
      },
      endpoints: [
        { id: ENDPOINT },
        { id: OTHER_ENDPOINT, reserved: [{ subtype: 1, start: 0xfee0_0000, end: 0xfeef_ffff }] },
      ],
      maxMappings: 64,
      logger: STRICT_LOGGER,
    });
    this.backend = backend;
    this.parts = this.#createParts(blueprint);
    for (const [index, part] of this.parts.entries()) this.#connect(part, index);
  }

  /** @returns a TRANSLATION_* code, as the backend does */
  translate(endpoint: number, address: number, access: number, out: TranslationResult): number {
    return this.backend.translate(endpoint, address, 1, access, out);
  }

  reset(): void {
    for (const { target } of this.parts) target.reset();
  }

  /** All but the memory is as it was when the machine was made, and nobody hears of it. */
  powerOff(): void {
    this.events = NO_EVENTS;
    this.reset();
    this.iommu.systemReset();
    this.network.incoming.length = 0;
    this.#diskBytes.fill(0);
    this.backend.room = Number.POSITIVE_INFINITY;
  }

  /** Of all parts, in their order. */
  snapshot(): object[] {
    return this.parts.map(({ target }) => target.snapshot!());
  }

  /** Lets each part work once. @returns whether one has work left */
  service(): boolean {
    let isLeft = false;
    for (const { target } of this.parts) isLeft = target.service() || isLeft;
    return isLeft;
  }

  #createParts({ bus, device, packed }: Blueprint): MachinePart[] {
    const memory = (host: GuestMemory) => this.iommu.endpointMemory(ENDPOINT, host);
    if (device === 'engine') {
      const engine = new DmaEngineFunction({ memory });
      return [pciPart('iommu', { device: this.iommu, packed }), asPci('engine', engine)];
    }
    const options = { device: this.#createDevice(device), packed, memory, logger: STRICT_LOGGER };
    const iommu = { device: this.iommu, packed, logger: STRICT_LOGGER };
    if (bus === 'msix') return [pciPart('iommu', iommu), pciPart(device, options)];
    if (bus === 'intx') return [pciPart('iommu', iommu, 0), pciPart(device, options, 0)];
    const windows = [createVirtioMmioDevice(iommu), createVirtioMmioDevice(options)];
    if (bus === 'windows') {
      return [asPci('windows', createMmioWindowsFunction({ windows, ...WINDOWS_ID }))];
    }
    return windows.map((target, index) => ({
      kind: 'mmio',
      name: index === 0 ? 'iommu' : device,
      target,
    }));
  }

  #createDevice(kind: DeviceKind): VirtioDevice {
    if (kind === 'disk') {
      const disk = new MemoryDisk(this.#diskBytes);
      return new VirtioBlockDevice({ disk, queueSize: QUEUE_SIZE, logger: STRICT_LOGGER });
    }
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);
    return new VirtioNetDevice({ backend: this.network, mac, mtu: 1500, queueSize: QUEUE_SIZE });
  }

  #connect(part: MachinePart, index: number): void {
    if (part.kind === 'mmio') {
      part.target.connect({
        memory: this.memory,
        deassertWhenRead: false,
        setInterrupt: (asserted) => this.events.level(index, asserted),
      });
      return;
    }
    part.target.connect({
      memory: this.memory,
      ownsMsixTable: false,
      signalMsix: (vector, address, data) => this.events.message(index, vector, address, data),
      setIntx: (asserted) => this.events.level(index, asserted),
    });
  }
}

function pciPart(
  name: string,
  options: Parameters<typeof createVirtioPciFunction>[0],
  msixVectors?: number,
): PciPart {
  const vectors = msixVectors === undefined ? {} : { msixVectors };
  return asPci(name, createVirtioPciFunction({ ...options, ...vectors }));
}

function asPci(name: string, target: PciFunction): PciPart {
  return { kind: 'pci', name, target };
}
