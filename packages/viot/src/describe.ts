/** How messages name the parts of a topology. */
import { formatPciAddress } from './pci-address.ts';
import type { Iommu, MmioEndpoint, PciEndpointRange } from './topology.ts';

/** What of an endpoint range says which devices are in it. */
export type Devices =
  | Omit<PciEndpointRange, 'endpointStart' | 'iommu'>
  | Omit<MmioEndpoint, 'endpoint' | 'iommu'>;

export function describeIommu(iommu: Iommu): string {
  switch (iommu.kind) {
    case 'pci':
      return `virtio-iommu ${formatPciAddress(iommu)}`;
    case 'mmio':
      return `virtio-iommu at ${hex(iommu.base)}`;
    case 'vendor':
      return `${iommu.model} at ${hex(iommu.base)}`;
  }
}

export function describeRange(range: Devices): string {
  if (range.kind === 'mmio') return `device at ${hex(range.base)}`;
  const start = formatPciAddress({ segment: range.segmentStart, bdf: range.bdfStart });
  const end = formatPciAddress({ segment: range.segmentEnd, bdf: range.bdfEnd });
  return start === end ? `function ${start}` : `range ${start} to ${end}`;
}

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
