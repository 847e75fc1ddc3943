/** ViotError: a topology that cannot be described, or a table that describes none. */

/**
 * What is wrong:
 * - `BDF`: a text or number that is no bus:device.function or segment
 * - `IOMMU`: an IOMMU that ranges refer to is missing, or two IOMMUs are one PCI function
 * - `RANGE`: an endpoint range whose end lies before its start
 * - `OVERLAP`: two ranges claim the same PCI function, or the same endpoint ID of one IOMMU
 * - `ENDPOINT_ID`: an endpoint ID beyond 32 bits
 * - `OEM`: an OEM field that does not fit
 * - `SIZE`: more nodes than a table can hold
 * - `SIGNATURE`, `LENGTH`, `CHECKSUM`: the header of a table is not that of a VIOT, or the table is damaged
 * - `NODE_BOUNDS`: a node does not lie inside the table
 * - `OUTPUT_NODE`: the IOMMU of a range is no IOMMU node
 */
export type ViotErrorCode =
  | 'BDF'
  | 'IOMMU'
  | 'RANGE'
  | 'OVERLAP'
  | 'ENDPOINT_ID'
  | 'OEM'
  | 'SIZE'
  | 'SIGNATURE'
  | 'LENGTH'
  | 'CHECKSUM'
  | 'NODE_BOUNDS'
  | 'OUTPUT_NODE';

export class ViotError extends Error {
  readonly code: ViotErrorCode;

  /** @param message what is wrong, and what to do about it */
  constructor(code: ViotErrorCode, message: string) {
    super(message);
    this.name = 'ViotError';
    this.code = code;
  }
}
