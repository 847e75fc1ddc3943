/** The topology of a machine: which device is behind which IOMMU, by its PCI address or by the address of its window. */
import { MMIO_WINDOW_SIZE } from '@viommu/mmio-windows';
import type { EndpointRange, Iommu, Topology } from '@viommu/viot';
import type {
  DeviceDescription,
  IommuDescription,
  MachineDescription,
  WindowPlace,
} from './machine-description.ts';

/** @param windows for each function with virtio-mmio windows, where the guest finds the first of them */
export function machineTopology(
  description: MachineDescription,
  windows: readonly number[] = [],
): Topology {
  return {
    iommus: description.iommus.map((iommu) => iommuOf(iommu, windows)),
    endpoints: description.devices.map((device) => endpointOf(device, windows)),
  };
}

function iommuOf({ place }: IommuDescription, windows: readonly number[]): Iommu {
  return place.bus === 'pci'
    ? { kind: 'pci', segment: 0, bdf: place.bdf }
    : { kind: 'mmio', base: windowAddress(place, windows) };
}

function endpointOf(
  { place, iommu, endpoint }: DeviceDescription,
  windows: readonly number[],
): EndpointRange {
  if (place.bus === 'mmio') {
    return { kind: 'mmio', base: windowAddress(place, windows), endpoint, iommu };
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

/** The address of a window, when the function's first one is at the address in `windows`. */
export function windowAddress(place: WindowPlace, windows: readonly number[]): number {
  return (windows[place.windows] ?? Number.NaN) + place.window * MMIO_WINDOW_SIZE;
}
