/** What there is to say about a table. Types and docs only. */

/**
 * - `TABLE`: Linux does not take the table at all
 * - `CHECKSUM`: the bytes do not sum up to 0, of which Linux warns
 * - `STOPPED`: Linux stops in the middle
 * - `TRUNCATED`: the table ends inside a node, and Linux reads what lies behind the table
 * - `UNKNOWN_NODE`: a node is passed over
 * - `UNRESOLVABLE`: an endpoint node is dropped, since its output_node is no IOMMU
 * - `EMPTY_RANGE`: a range ends before it starts, so it has no device
 * - `ID_OVERFLOW`: endpoint IDs beyond 32 bits, which begin at 0 again
 * - `SHADOWED`, `OVERLAP`: a later node has all, or a part, of an earlier one's devices
 * - `SHARED_ID`: two devices have one endpoint ID
 * - `OWN_RANGE`: an IOMMU lies in a range of its own, and is not translated
 * - `BEHIND_ANOTHER`: an IOMMU lies behind another, which Linux does not expect
 * - `UNUSED_IOMMU`: nothing is behind an IOMMU
 * - `MMIO_IOMMU`: Linux finds an IOMMU by its address only under conditions
 * - `TRAILING`: bytes behind the last node, which Linux does not look at
 */
export type FindingCode =
  | 'TABLE'
  | 'CHECKSUM'
  | 'STOPPED'
  | 'TRUNCATED'
  | 'UNKNOWN_NODE'
  | 'UNRESOLVABLE'
  | 'EMPTY_RANGE'
  | 'ID_OVERFLOW'
  | 'SHADOWED'
  | 'OVERLAP'
  | 'SHARED_ID'
  | 'OWN_RANGE'
  | 'BEHIND_ANOTHER'
  | 'UNUSED_IOMMU'
  | 'MMIO_IOMMU'
  | 'TRAILING';

export interface Finding {
  readonly code: FindingCode;
  /** An `error` leaves a device without its IOMMU; a `warning` may not be what was meant; a `note` is good to know. */
  readonly severity: 'error' | 'warning' | 'note';
  /** In the table, in bytes. */
  readonly offset: number;
  readonly message: string;
}

/** Offsets of the nodes that the parts of a topology come from, by index. */
export interface TopologyOffsets {
  readonly iommus: readonly number[];
  readonly endpoints: readonly number[];
}
