/** ViotTable: a VIOT with everything that its bytes say, in order; plain data, fit for JSON. */

/** Of the table, without what follows from the rest: signature, length, checksum, node count. */
export interface ViotHeader {
  readonly revision: number;
  /** 6 characters of 8 bits each. */
  readonly oemId: string;
  /** 8 characters. */
  readonly oemTableId: string;
  readonly oemRevision: number;
  /** 4 characters. */
  readonly creatorId: string;
  readonly creatorRevision: number;
}

/** What a node has beside its fields. */
interface NodeRest {
  /**
   * Its reserved bytes as hexadecimal digits: of the node's header, then of its structure, then what it has beyond that.
   * Left out when they are all 0 and nothing is beyond.
   */
  readonly reserved?: string;
}

/** Type 1, "PCI Range". */
export interface PciRangeNode extends NodeRest {
  readonly type: 'pci-range';
  readonly endpointStart: number;
  readonly segmentStart: number;
  readonly segmentEnd: number;
  readonly bdfStart: number;
  readonly bdfEnd: number;
  /** Offset of the IOMMU's node from the start of the table. */
  readonly outputNode: number;
}

/** Type 2, "MMIO Endpoint". */
export interface MmioEndpointNode extends NodeRest {
  readonly type: 'mmio-endpoint';
  readonly endpoint: number;
  readonly base: number;
  readonly outputNode: number;
}

/** Type 3, "virtio-pci IOMMU". */
export interface PciIommuNode extends NodeRest {
  readonly type: 'virtio-iommu-pci';
  readonly segment: number;
  readonly bdf: number;
}

/** Type 4, "virtio-mmio IOMMU". */
export interface MmioIommuNode extends NodeRest {
  readonly type: 'virtio-iommu-mmio';
  readonly base: number;
}

/** Any other type. */
export interface UnknownNode {
  readonly type: 'unknown';
  readonly nodeType: number;
  /** All of the node but type and length, as hexadecimal digits. */
  readonly content: string;
}

export type ViotNode = PciRangeNode | MmioEndpointNode | PciIommuNode | MmioIommuNode | UnknownNode;

/** Encoding what was decoded gives the same bytes. */
export interface ViotTable {
  readonly header: ViotHeader;
  /** Bytes 40 to 47 as hexadecimal digits; left out when they are 0. */
  readonly reserved?: string;
  /** What lies between header and first node, as hexadecimal digits; left out when nothing does. */
  readonly gap?: string;
  readonly nodes: readonly ViotNode[];
  /** What lies behind the last node. */
  readonly trailing?: string;
}
