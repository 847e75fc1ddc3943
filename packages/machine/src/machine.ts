/** The composition root: builds the IOMMUs, what is behind them and their PCI functions, and wires them; nothing else does. */
import { VirtioBlockDevice, VirtioEntropyDevice, VirtioNetDevice } from '@viommu/devices';
import { createMmioWindowsFunction } from '@viommu/mmio-windows';
import { createVirtioMmioDevice, type MmioDevice } from '@viommu/transport-mmio';
import { createVirtioPciFunction, type PciFunction } from '@viommu/transport-pci';
import type {
  QueueGate,
  QueueObserver,
  VirtioDevice,
  VirtioTransportOptions,
} from '@viommu/virtqueue/device';
import { describePlace, iommuSocketName, socketNames, windowsSocketName } from './describe.ts';
import type {
  Bdf,
  DeviceDescription,
  EngineDescription,
  MachineDescription,
  Place,
} from './machine-description.ts';
import type { MachineDisk, MachineNetwork, MachineParts } from './machine-parts.ts';
import { type IommuMakerOptions, type MachineIommu, makeIommu } from './make-iommu.ts';

/** A PCI function of the machine, with the name of its socket. */
export interface MachineFunction {
  readonly name: string;
  readonly bdf: Bdf;
  readonly function: PciFunction;
}

/** What is behind an IOMMU. */
export interface MachineEndpoint {
  readonly iommu: number;
  readonly endpoint: number;
  /** Where its registers are, such as `00:05.0`. */
  readonly device: string;
}

export interface Machine {
  readonly iommus: readonly MachineIommu[];
  readonly endpoints: readonly MachineEndpoint[];
  /** The IOMMUs first. */
  readonly functions: readonly MachineFunction[];
  /** Flushes and closes the disks, all of them even if one throws, and closes the networks. Safe to call more than once. */
  close(): void;
}

export interface MachineOptions extends IommuMakerOptions {
  readonly parts: MachineParts;
  /** Makes the PCI function of a virtio device; virtio over PCI by default. */
  readonly createFunction?: (options: VirtioTransportOptions) => PciFunction;
  /** Sees the queues of the virtio device of that name, which is the name of its IOMMU or device. */
  readonly observeQueues?: (name: string) => QueueObserver | undefined;
  /** Decides when the virtio device of that name may take the next buffer of a queue. */
  readonly gateQueues?: (name: string) => QueueGate | undefined;
  /** Told the address of a function's first virtio-mmio window whenever the guest gives it another; 0 when it takes it back. */
  readonly onWindowsAddress?: (windows: number, address: number) => void;
}

/** @throws what a part throws that cannot be opened; those that were opened before are closed then */
export function createMachine(description: MachineDescription, options: MachineOptions): Machine {
  const builder = new MachineBuilder(description, options);
  try {
    description.iommus.forEach((_, index) => {
      builder.addIommu(index);
    });
    const names = socketNames(description);
    description.devices.forEach((device, index) => {
      builder.addDevice(device, names[index]!);
    });
    builder.addWindows();
  } catch (error) {
    builder.close();
    throw error;
  }
  return builder;
}

class MachineBuilder implements Machine {
  readonly iommus: MachineIommu[] = [];
  readonly endpoints: MachineEndpoint[] = [];
  readonly functions: MachineFunction[] = [];
  readonly #description: MachineDescription;
  readonly #options: MachineOptions;
  readonly #disks: MachineDisk[] = [];
  readonly #networks: MachineNetwork[] = [];
  /** By function, what is behind its windows. */
  readonly #windows: MmioDevice[][];

  constructor(description: MachineDescription, options: MachineOptions) {
    this.#description = description;
    this.#options = options;
    this.#windows = (description.windows ?? []).map(() => []);
  }

  addIommu(index: number): void {
    const { parts, createFunction, observeQueues, gateQueues, onWindowsAddress, ...options } =
      this.#options;
    const iommu = makeIommu(this.#description, index, options);
    this.iommus.push(iommu);
    this.#plug(iommuSocketName(index), this.#description.iommus[index]!.place, {
      device: iommu.device,
      // A VMM resets the function when it resets the machine: firmware then finds the boot state of `bypass` again.
      onReset: () => iommu.device.systemReset(),
    });
  }

  addDevice(description: DeviceDescription, name: string): void {
    const { place, iommu, endpoint } = description;
    this.endpoints.push({ iommu, endpoint, device: describePlace(place, this.#description) });
    if (description.kind === 'engine') {
      this.#addEngine(description, name);
      return;
    }
    const { device } = this.iommus[iommu]!;
    this.#plug(name, place, {
      device: this.#deviceOf(description),
      memory: (host) => device.endpointMemory(endpoint, host),
    });
  }

  /** The functions that bring the windows; to be called when all windows are filled. */
  addWindows(): void {
    for (const [index, { bdf, ...identity }] of (this.#description.windows ?? []).entries()) {
      const windows = createMmioWindowsFunction({
        windows: this.#windows[index]!,
        ...identity,
        onBarAddress: (address) => this.#options.onWindowsAddress?.(index, address),
      });
      this.functions.push({ name: windowsSocketName(index), bdf, function: windows });
    }
  }

  close(): void {
    for (const network of this.#networks.splice(0)) network.close();
    let problem: unknown;
    for (const disk of this.#disks.splice(0)) {
      try {
        disk.close();
      } catch (error) {
        problem ??= error;
      }
    }
    if (problem !== undefined) throw problem;
  }

  #addEngine({ place, iommu, endpoint }: EngineDescription, name: string): void {
    const { device, passThrough } = this.iommus[iommu]!;
    const engine = passThrough!.createEngine(endpoint, (id, host) =>
      device.endpointMemory(id, host),
    );
    this.functions.push({ name, bdf: place.bdf, function: engine });
  }

  #deviceOf(description: Exclude<DeviceDescription, EngineDescription>): VirtioDevice {
    const { parts } = this.#options;
    switch (description.kind) {
      case 'disk': {
        const disk = parts.openDisk(description);
        this.#disks.push(disk);
        return new VirtioBlockDevice({
          disk,
          id: `viommu-${this.#disks.length - 1}`,
          ...this.#polling,
          ...this.#logger,
        });
      }
      case 'rng':
        return new VirtioEntropyDevice({ fillRandom: (bytes) => parts.fillRandom(bytes) });
      case 'net': {
        const { mac, mtu } = description;
        const backend = parts.openNetwork(description);
        this.#networks.push(backend);
        return new VirtioNetDevice({
          backend,
          mac: Uint8Array.from(mac),
          ...(mtu === undefined ? {} : { mtu }),
          ...this.#polling,
        });
      }
    }
  }

  #plug(
    name: string,
    place: Place,
    options: Pick<VirtioTransportOptions, 'device' | 'memory' | 'onReset'>,
  ): void {
    const { packed = false } = this.#description;
    const { createFunction = createVirtioPciFunction, observeQueues, gateQueues } = this.#options;
    const queueObserver = observeQueues?.(name);
    const observed = queueObserver === undefined ? {} : { queueObserver };
    const queueGate = gateQueues?.(name);
    const gated = queueGate === undefined ? {} : { queueGate };
    const all = { ...options, packed, ...observed, ...gated, ...this.#logger };
    if (place.bus === 'mmio') {
      this.#windows[place.windows]![place.window] = createVirtioMmioDevice(all);
      return;
    }
    this.functions.push({ name, bdf: place.bdf, function: createFunction(all) });
  }

  get #polling() {
    const { pollMicroseconds } = this.#options;
    return pollMicroseconds === undefined ? {} : { pollMicroseconds };
  }

  get #logger() {
    const { logger } = this.#options;
    return logger === undefined ? {} : { logger };
  }
}
