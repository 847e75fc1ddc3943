/** The topology model: which IOMMUs there are, and which endpoint ID of which IOMMU a device has. */

/** A virtio-iommu that is a PCI function. */
export interface PciIommu {
  readonly kind: 'pci';
  /** PCI segment group, 16 bits. */
  readonly segment: number;
  /** `bus << 8 | device << 3 | function`. */
  readonly bdf: number;
}

/** A virtio-iommu behind virtio-mmio registers. */
export interface MmioIommu {
  readonly kind: 'mmio';
  /** Address of its registers. */
  readonly base: number;
}

/** An IOMMU that is no virtio device, as a table of its vendor describes it. */
export interface VendorIommu {
  readonly kind: 'vendor';
  readonly model: 'vt-d' | 'amd-vi' | 'smmu' | 'smmu-v3';
  /** Address of its registers. */
  readonly base: number;
}

export type Iommu = PciIommu | MmioIommu | VendorIommu;

/**
 * PCI functions behind an IOMMU: those whose segment and BDF both lie in the given bounds. Endpoint IDs count up with the
 * BDF; each further segment begins 0x10000 endpoint IDs later.
 */
export interface PciEndpointRange {
  readonly kind: 'pci';
  readonly segmentStart: number;
  /** Inclusive. */
  readonly segmentEnd: number;
  readonly bdfStart: number;
  /** Inclusive. */
  readonly bdfEnd: number;
  /** Endpoint ID of the function at `segmentStart` and `bdfStart`, 32 bits. */
  readonly endpointStart: number;
  /** Index into {@link Topology.iommus}. */
  readonly iommu: number;
}

/** A device that is known by the address of its registers. */
export interface MmioEndpoint {
  readonly kind: 'mmio';
  readonly base: number;
  /** Its endpoint ID, 32 bits. */
  readonly endpoint: number;
  /** Index into {@link Topology.iommus}. */
  readonly iommu: number;
}

export type EndpointRange = PciEndpointRange | MmioEndpoint;

/** Plain data. An IOMMU within a range of its own is not translated by itself. */
export interface Topology {
  readonly iommus: readonly Iommu[];
  readonly endpoints: readonly EndpointRange[];
}

/** Distance of the endpoint IDs of a range from one segment to the next. */
export const IDS_PER_SEGMENT = 0x10000;

/**
 * The endpoint range that a PCI function is in. Where ranges overlap the later one counts, as in Linux.
 *
 * @returns undefined when the function is behind no IOMMU
 */
export function endpointRange(
  topology: Topology,
  segment: number,
  bdf: number,
): PciEndpointRange | undefined {
  const range = topology.endpoints.findLast(
    (candidate): candidate is PciEndpointRange =>
      candidate.kind === 'pci' && contains(candidate, segment, bdf),
  );
  const iommu = range && topology.iommus[range.iommu];
  const isItself = iommu?.kind === 'pci' && iommu.segment === segment && iommu.bdf === bdf;
  return isItself ? undefined : range;
}

/**
 * The endpoint ID by which its IOMMU knows a PCI function.
 *
 * @returns undefined when the function is behind no IOMMU
 */
export function endpointId(topology: Topology, segment: number, bdf: number): number | undefined {
  const range = endpointRange(topology, segment, bdf);
  if (range === undefined) return undefined;
  const inSegment = bdf - range.bdfStart;
  return range.endpointStart + (segment - range.segmentStart) * IDS_PER_SEGMENT + inSegment;
}

/**
 * The device whose registers begin at an address. The later of two counts, as in Linux.
 *
 * @returns undefined when that device is behind no IOMMU
 */
export function mmioEndpoint(topology: Topology, base: number): MmioEndpoint | undefined {
  const found = topology.endpoints.findLast(
    (candidate): candidate is MmioEndpoint => candidate.kind === 'mmio' && candidate.base === base,
  );
  const iommu = found && topology.iommus[found.iommu];
  return iommu !== undefined && iommu.kind !== 'pci' && iommu.base === base ? undefined : found;
}

function contains(range: PciEndpointRange, segment: number, bdf: number): boolean {
  const inSegments = segment >= range.segmentStart && segment <= range.segmentEnd;
  return inSegments && bdf >= range.bdfStart && bdf <= range.bdfEnd;
}
