/** ViotError: a topology that cannot be described, or a table that describes none. */

/**
 * What is wrong:
 * - `BDF`: a text or number that is no bus:device.function or segment
 * - `ADDRESS`: a number that is no address below 2^53
 * - `IOMMU`: an IOMMU that ranges refer to is missing, two IOMMUs are one device, or it is none that the form can name
 * - `RANGE`: an endpoint range whose end lies before its start
 * - `OVERLAP`: two ranges claim the same device, or the same endpoint ID of one IOMMU
 * - `ENDPOINT_ID`: an endpoint ID beyond 32 bits
 * - `OEM`: an OEM field that does not fit
 * - `SIZE`: more nodes or items than the form can hold, or no place for them
 * - `HOST_BRIDGE`: the host bridge of a segment has no place in the device tree
 * - `SIGNATURE`, `LENGTH`, `CHECKSUM`: the header of a table is not the one expected, or the table is damaged
 * - `NODE_BOUNDS`: a node or an item does not lie inside the table, or is too short for its type
 * - `OUTPUT_NODE`: what a node refers to is no node of the right kind
 * - `SYNTAX`: a text is no device tree, no JSON, or of another shape than expected
 */
export type ViotErrorCode =
  | 'BDF'
  | 'ADDRESS'
  | 'IOMMU'
  | 'RANGE'
  | 'OVERLAP'
  | 'ENDPOINT_ID'
  | 'OEM'
  | 'HOST_BRIDGE'
  | 'SIZE'
  | 'SIGNATURE'
  | 'LENGTH'
  | 'CHECKSUM'
  | 'NODE_BOUNDS'
  | 'OUTPUT_NODE'
  | 'SYNTAX';

export class ViotError extends Error {
  readonly code: ViotErrorCode;
  /** Where in the table, in bytes; undefined for what has no place there. */
  readonly offset: number | undefined;

  /** @param message what is wrong, and what to do about it */
  constructor(code: ViotErrorCode, message: string, offset?: number) {
    super(message);
    this.name = 'ViotError';
    this.code = code;
    this.offset = offset;
  }
}
