/** The topology model: which IOMMUs there are, and which endpoint ID of which IOMMU a device has. */

/** An IOMMU that is a PCI function. */
export interface PciIommu {
  readonly kind: 'pci';
  /** PCI segment group, 16 bits. */
  readonly segment: number;
  /** `bus << 8 | device << 3 | function`. */
  readonly bdf: number;
}

export type Iommu = PciIommu;

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

export type EndpointRange = PciEndpointRange;

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
): EndpointRange | undefined {
  const range = topology.endpoints.findLast((candidate) => contains(candidate, segment, bdf));
  const iommu = range && topology.iommus[range.iommu];
  const isItself = iommu?.segment === segment && iommu.bdf === bdf;
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

function contains(range: EndpointRange, segment: number, bdf: number): boolean {
  const inSegments = segment >= range.segmentStart && segment <= range.segmentEnd;
  return inSegments && bdf >= range.bdfStart && bdf <= range.bdfEnd;
}
