/** Options for reading the tables of IOMMU vendors. */
import type { PassedOver } from '../passed-over.ts';

/** The buses behind a PCI-to-PCI bridge, both inclusive. */
export interface BridgeBuses {
  readonly secondary: number;
  readonly subordinate: number;
}

export interface VendorTableOptions {
  /**
   * Bus numbers of a bridge, as its configuration space has them. The DMAR names devices behind bridges by their path, so
   * without this they are passed over, and so they are where the numbers end before they start.
   */
  readonly bridge?: (segment: number, bdf: number) => BridgeBuses | undefined;
  /** Told of what the table says and the topology does not hold, in no particular order. */
  readonly passedOver?: (what: PassedOver) => void;
}
