/** The topology of a machine: which device is behind which IOMMU, by its PCI address or by the address of its window. */
import { MMIO_WINDOW_SIZE } from '@viommu/mmio-windows';
import type { EndpointRange, Iommu, Topology } from '@viommu/viot';
import type {
  DeviceDescription,
  IommuDescription,
  MachineDescription,
} from './machine-description.ts';

/** @param windows where the guest finds the first virtio-mmio window; needed when there are any */
export function machineTopology(description: MachineDescription, windows = Number.NaN): Topology {
  return {
    iommus: description.iommus.map((iommu) => iommuOf(iommu, windows)),
    endpoints: description.devices.map((device) => endpointOf(device, windows)),
  };
}

function iommuOf({ place }: IommuDescription, windows: number): Iommu {
  return place.bus === 'pci'
    ? { kind: 'pci', segment: 0, bdf: place.bdf }
    : { kind: 'mmio', base: windows + place.window * MMIO_WINDOW_SIZE };
}

function endpointOf({ place, iommu, endpoint }: DeviceDescription, windows: number): EndpointRange {
  if (place.bus === 'mmio') {
    return { kind: 'mmio', base: windows + place.window * MMIO_WINDOW_SIZE, endpoint, iommu };
  }
  return {
    kind: 'pci',
    segmentStart: 0,
    segmentEnd: 0,
    bdfStart: place.bdf,
    bdfEnd: place.bdf,
    endpointStart: endpoint,
    iommu,
  };
}
