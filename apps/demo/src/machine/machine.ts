/** The composition root: builds the IOMMU, its endpoints and their PCI functions, and wires them; nothing else does. */

import { VirtioBlockDevice, VirtioEntropyDevice, VirtioNetDevice } from '@viommu/devices';
import { fillRandom, openFileDisk, type SystemNetBackend } from '@viommu/devices/node';
import {
  type IommuObserver,
  type TranslationBackend,
  VIRTIO_IOMMU_RESV_MEM_T_MSI,
  VirtioIommuDevice,
} from '@viommu/iommu-core';
import { simBackend } from '@viommu/pviommu-sim';
import { createVirtioPciFunction, type PciFunction } from '@viommu/transport-pci';
import type { GuestMemory, Logger } from '@viommu/virtqueue';
import type { VirtioDevice } from '@viommu/virtqueue/device';
import { createPassThrough, type PassThroughObserver } from '../passthrough/pass-through.ts';
import type { Bdf, MachineDescription } from './machine-description.ts';
import { openNetwork } from './open-network.ts';

/** Where x86 machines send message-signalled interrupts; a guest on x86 needs it to be reserved. */
const MSI_REGION = {
  subtype: VIRTIO_IOMMU_RESV_MEM_T_MSI,
  start: 0xfee0_0000,
  end: 0xfeef_ffff,
} as const;

/** What of the host's memory is contiguous; a host with 4 KiB would have a quarter million mappings for a guest that boots. */
const HOST_FRAME_SIZE = 65536;

/** A PCI function of the machine, with the name of its socket. */
interface MachineFunction {
  readonly name: string;
  readonly bdf: Bdf;
  readonly function: PciFunction;
}

export interface Machine {
  readonly iommu: VirtioIommuDevice;
  readonly backend: TranslationBackend;
  /** The IOMMU first. */
  readonly functions: readonly MachineFunction[];
  /** What the thread of the functions has to wait for besides their clients. */
  readonly networks: readonly SystemNetBackend[];
  /** Flushes and closes the disks, closes the networks. */
  close(): void;
}

export interface MachineOptions {
  readonly logger?: Logger;
  readonly observer?: IommuObserver;
  /** Sees what is done on the host for the device that is passed through. */
  readonly passThroughObserver?: PassThroughObserver;
  /** How long the IOMMU polls an empty request queue; 0 by default, for a driver in the same thread. */
  readonly pollMicroseconds?: number;
}

/** Builds the machine; endpoint IDs are the functions' PCI addresses. */
export function createMachine(
  description: MachineDescription,
  options: MachineOptions = {},
): Machine {
  const disks = description.disks.map((disk) =>
    openFileDisk(disk.path, { readOnly: disk.readOnly }),
  );
  const endpoints: { name: string; bdf: Bdf; device: VirtioDevice }[] = description.disks.map(
    (disk, index) => ({
      name: description.disks.length === 1 ? 'blk' : `blk${index}`,
      bdf: disk.bdf,
      device: new VirtioBlockDevice({ disk: disks[index]!, id: `viommu-${index}`, ...options }),
    }),
  );
  const nets = description.nets ?? [];
  const networks = nets.map((net) => openNetwork(net, options));
  for (const [index, net] of nets.entries()) {
    endpoints.push({
      name: nets.length === 1 ? 'net' : `net${index}`,
      bdf: net.bdf,
      device: new VirtioNetDevice({
        backend: networks[index]!,
        mac: Uint8Array.from(net.mac),
        ...(net.mtu === undefined ? {} : { mtu: net.mtu }),
      }),
    });
  }
  if (description.rng !== undefined) {
    endpoints.push({
      name: 'rng',
      bdf: description.rng,
      device: new VirtioEntropyDevice({ fillRandom }),
    });
  }

  const { pageSizeMask, engine } = description;
  const stage1 = pageSizeMask === undefined ? {} : { pageSizeMask };
  const passThrough =
    engine === undefined
      ? undefined
      : createPassThrough({
          endpoints: [engine],
          frameSize: HOST_FRAME_SIZE,
          stage1,
          ...(options.passThroughObserver ? { observer: options.passThroughObserver } : {}),
        });
  const createBackend = passThrough?.backend ?? simBackend(stage1);
  let backend!: TranslationBackend;
  const iommu = new VirtioIommuDevice({
    backend: (components) => {
      backend = createBackend(components);
      return backend;
    },
    endpoints: [...endpoints.map(({ bdf }) => bdf), ...(engine === undefined ? [] : [engine])].map(
      (id) => ({ id, reserved: [MSI_REGION] }),
    ),
    bootBypass: description.bootBypass,
    ...options,
  });
  const functions: MachineFunction[] = [
    {
      name: 'iommu',
      bdf: description.iommu,
      // A VMM resets the function when it resets the machine: firmware then finds the boot state of `bypass` again.
      function: createVirtioPciFunction({
        device: iommu,
        onReset: () => iommu.systemReset(),
        ...options,
      }),
    },
    ...endpoints.map(({ name, bdf, device }) => ({
      name,
      bdf,
      function: createVirtioPciFunction({
        device,
        memory: (host: GuestMemory) => iommu.endpointMemory(bdf, host),
        ...options,
      }),
    })),
  ];
  if (passThrough !== undefined && engine !== undefined) {
    functions.push({
      name: 'engine',
      bdf: engine,
      function: passThrough.createEngine(engine, (endpoint, host) =>
        iommu.endpointMemory(endpoint, host),
      ),
    });
  }
  return {
    iommu,
    backend,
    functions,
    networks,
    close() {
      for (const network of networks) network.close();
      for (const disk of disks) disk.close();
    },
  };
}
