/** PCI functions behind an IOMMU, each known to it by its PCI address. */
import type { Bdf, DiskDescription, PciPlace } from './machine-description.ts';

interface PciEndpoint {
  readonly place: PciPlace;
  readonly iommu: number;
  readonly endpoint: number;
}

export function pciEndpoint(bdf: Bdf, iommu = 0): PciEndpoint {
  return { place: { bus: 'pci', bdf }, iommu, endpoint: bdf };
}

export function pciDisk(bdf: Bdf, path: string, readOnly = false, iommu = 0): DiskDescription {
  return { kind: 'disk', ...pciEndpoint(bdf, iommu), path, readOnly };
}

/** Locally administered, the same for the same place. */
export function macOf(bdf: Bdf): readonly number[] {
  return [0x52, 0x54, 0, 0, bdf >> 8, bdf & 0xff];
}
