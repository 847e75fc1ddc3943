/** The nodes and properties of a topology in a device tree, wherever they are put. */
import { describeIommu } from '../describe.ts';
import type { Iommu, MmioEndpoint, PciEndpointRange, PciIommu, Topology } from '../topology.ts';
import { ViotError } from '../viot-error.ts';
import type { DtsDevice } from './dts-options.ts';
import { cells, type DtsNode, twoCells } from './dts-text.ts';

const REGISTERS_SIZE = 0x200;

/** A device outside of PCI: an IOMMU, something behind one, or both. */
export interface MmioDevice {
  readonly base: number;
  /** Index of the IOMMU that it is. */
  readonly itself: number | undefined;
  readonly endpoint: MmioEndpoint | undefined;
}

/** Segments with an IOMMU or something behind one, in ascending order. */
export function segmentsOf({ iommus, endpoints }: Topology): number[] {
  const segments = [
    ...iommus.flatMap((iommu) => (iommu.kind === 'pci' ? [iommu.segment] : [])),
    ...endpoints.flatMap((range) => (range.kind === 'pci' ? [range.segmentStart] : [])),
  ];
  return [...new Set(segments)].sort((a, b) => a - b);
}

/** In ascending order of addresses. */
export function mmioDevices({ iommus, endpoints }: Topology): MmioDevice[] {
  const devices = new Map<number, MmioDevice>();
  iommus.forEach((iommu, itself) => {
    if (iommu.kind !== 'mmio') return;
    devices.set(iommu.base, { base: iommu.base, itself, endpoint: undefined });
  });
  for (const endpoint of endpoints) {
    if (endpoint.kind !== 'mmio') continue;
    const itself = devices.get(endpoint.base)?.itself;
    devices.set(endpoint.base, { base: endpoint.base, itself, endpoint });
  }
  return [...devices.values()].sort((a, b) => a.base - b.base);
}

/** What a host bridge's node has because of the topology: `iommu-map`, and its IOMMUs. */
export function hostBridgeParts(
  { iommus, endpoints }: Topology,
  segment: number,
): Pick<DtsNode, 'properties' | 'children'> {
  const ranges = endpoints.filter(
    (range): range is PciEndpointRange => range.kind === 'pci' && range.segmentStart === segment,
  );
  const entries = ranges.map(({ bdfStart, bdfEnd, endpointStart, iommu }) =>
    cells(bdfStart, `&${label(iommu)}`, endpointStart, bdfEnd - bdfStart + 1),
  );
  return {
    properties: entries.length === 0 ? [] : [`iommu-map = ${entries.join(',\n')};`],
    children: iommus.flatMap((iommu, index) =>
      isInSegment(iommu, segment) ? [pciIommuNode(iommu, index)] : [],
    ),
  };
}

/** What a device's node has because of the topology. */
export function deviceProperties({ itself, endpoint }: MmioDevice): string[] {
  return [
    ...(itself === undefined ? [] : ['#iommu-cells = <1>;']),
    ...(endpoint === undefined
      ? []
      : [`iommus = ${cells(`&${label(endpoint.iommu)}`, endpoint.endpoint)};`]),
  ];
}

/** A whole node for a device, in a bus with two cells for addresses and two for sizes. */
export function deviceNode(device: MmioDevice, options: DtsDevice): DtsNode {
  const { size = REGISTERS_SIZE, compatible = 'virtio,mmio', interrupts, properties } = options;
  const name = device.itself === undefined ? 'virtio' : 'iommu';
  return {
    title: labelled(device, `${name}@${device.base.toString(16)}`),
    properties: [
      `compatible = "${compatible}";`,
      `reg = ${cells(...twoCells(device.base), ...twoCells(size))};`,
      ...(interrupts === undefined ? [] : [`interrupts = ${cells(...interrupts)};`]),
      ...deviceProperties(device),
      ...(properties ?? []),
    ],
    children: [],
  };
}

/** With the label that others refer to when the device is an IOMMU. dtc gives what is referred to a phandle that is free. */
export function labelled({ itself }: MmioDevice, title: string): string {
  return itself === undefined ? title : `${label(itself)}: ${title}`;
}

function label(iommu: number): string {
  return `viommu${iommu}`;
}

function isInSegment(iommu: Iommu, segment: number): iommu is PciIommu {
  return iommu.kind === 'pci' && iommu.segment === segment;
}

function pciIommuNode(iommu: PciIommu, index: number): DtsNode {
  const { bdf } = iommu;
  if (bdf >>> 8 !== 0) {
    throw new ViotError(
      'IOMMU',
      `${describeIommu(iommu)} is not on bus 0: a device tree has it below the bridges that lead to it, and the topology does not say which`,
    );
  }
  const address = `${(bdf >>> 3).toString(16)},${bdf & 7}`;
  return {
    title: `${label(index)}: iommu@${address}`,
    properties: [
      'compatible = "virtio,pci-iommu", "pci1af4,1057";',
      `reg = ${cells(bdf << 8, 0, 0, 0, 0)};`,
      '#iommu-cells = <1>;',
    ],
    children: [],
  };
}
