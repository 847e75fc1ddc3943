/** Makes one virtio-iommu of a machine: its backend, its endpoints, and the host's side of what is passed through. */
import {
  type IommuInjector,
  type IommuObserver,
  type TranslationBackend,
  VIRTIO_IOMMU_RESV_MEM_T_MSI,
  VirtioIommuDevice,
} from '@viommu/iommu-core';
import { simBackend } from '@viommu/pviommu-sim';
import type { Logger } from '@viommu/virtqueue';
import type { MachineDescription } from './machine-description.ts';
import { createPassThrough, type PassThrough, type PassThroughObserver } from './pass-through.ts';

/** A host with 4 KiB would have a quarter million mappings for a guest that boots. */
const HOST_FRAME_SIZE = 65536;

export interface MachineIommu {
  readonly device: VirtioIommuDevice;
  readonly backend: TranslationBackend;
  /** There when an engine is behind it. */
  readonly passThrough: PassThrough | undefined;
}

export interface IommuMakerOptions {
  readonly logger?: Logger;
  /** Sees what the IOMMU of that index does. */
  readonly observe?: (iommu: number) => IommuObserver;
  /** Has the IOMMU of that index answer as a failing one would. */
  readonly inject?: (iommu: number) => IommuInjector | undefined;
  /** Sees what is done on the host for the devices that are passed through. */
  readonly passThroughObserver?: PassThroughObserver;
  /** Bytes of the simulated host's memory that are contiguous, a power of two of at least 4096; 65536 by default. */
  readonly hostFrameSize?: number;
  /** How long devices poll an empty queue at most; 0 by default, for a driver in the same thread. */
  readonly pollMicroseconds?: number;
}

export function makeIommu(
  { iommus, devices, msiWindows }: MachineDescription,
  index: number,
  options: IommuMakerOptions,
): MachineIommu {
  const { pageSizeMask, bootBypass } = iommus[index]!;
  const { observe, inject, passThroughObserver, hostFrameSize, ...rest } = options;
  const injector = inject?.(index);
  const behind = devices.filter(({ iommu }) => iommu === index);
  const engines = behind.flatMap(({ kind, endpoint }) => (kind === 'engine' ? [endpoint] : []));
  const stage1 = pageSizeMask === undefined ? {} : { pageSizeMask };
  const passThrough =
    engines.length === 0
      ? undefined
      : createPassThrough({
          endpoints: engines,
          frameSize: hostFrameSize ?? HOST_FRAME_SIZE,
          stage1,
          ...(passThroughObserver ? { observer: passThroughObserver } : {}),
        });
  const createBackend = passThrough?.backend ?? simBackend(stage1);
  const reserved = msiWindows.map((window) => ({
    ...window,
    subtype: VIRTIO_IOMMU_RESV_MEM_T_MSI,
  }));
  let backend!: TranslationBackend;
  const device = new VirtioIommuDevice({
    backend: (components) => {
      backend = createBackend(components);
      return backend;
    },
    endpoints: behind.map(({ endpoint }) => ({ id: endpoint, reserved })),
    bootBypass,
    ...(observe ? { observer: observe(index) } : {}),
    ...(injector ? { injector } : {}),
    ...rest,
  });
  return { device, backend, passThrough };
}
