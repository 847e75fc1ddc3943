/** The contract IommuObserver: how to watch every request and every translation as it happens. Types and docs only. */

/** One answered request. The object and its bytes are reused: copy what you keep. */
export interface RequestRecord {
  /** VIRTIO_IOMMU_T_*, or the unknown number that the driver sent. */
  type: number;
  /** VIRTIO_IOMMU_S_* as it was written to the tail; -1 when nothing was written. */
  status: number;
  /** The device-readable part as it was on the wire, from its first byte on. */
  readonly bytes: Uint8Array;
  /** Number of valid bytes in `bytes`. */
  length: number;
  /** Length of the device-writable part that the driver gave, in bytes. */
  writableLength: number;
  /** `len` of the used element. */
  usedLength: number;
}

/**
 * Called in line, so an observer must be quick, must not throw, and must not call back into the device but to look at it
 * (`attachments`, `mappingsOf`), where what is under way is not done yet. Endpoints, though, may be added and removed from every
 * method that is not called within a request, `attached` and `detached` in other words.
 * Each method is optional, and costs one comparison when it is absent.
 */
export interface IommuObserver {
  /** A request was answered. */
  request?(record: RequestRecord): void;
  /** An endpoint joined a domain; `bypass` when it is a bypass domain. */
  attached?(endpoint: number, domain: number, bypass: boolean): void;
  /** An endpoint left its domain: by DETACH, by ATTACH to another, by reset, or because it was removed. */
  detached?(endpoint: number, domain: number): void;
  /** An access was translated or went by: `length` bytes from `address` are at `physical`. */
  translated?(
    endpoint: number,
    address: number,
    length: number,
    access: number,
    physical: number,
    bypass: boolean,
  ): void;
  /** An access failed. `reason` is VIRTIO_IOMMU_FAULT_R_*, `delivered` whether the driver had given an event buffer. */
  fault?(
    endpoint: number,
    reason: number,
    access: number,
    address: number,
    delivered: boolean,
  ): void;
  /** The host program added an endpoint. Not called for those that were there from the start. */
  endpointAdded?(endpoint: number): void;
  /** The host program removed an endpoint, which is in no domain any more. */
  endpointRemoved?(endpoint: number): void;
  /** The device is about to be reset: all that is attached and mapped is still there. */
  resetting?(): void;
  /** The device was reset and every endpoint is detached. */
  reset?(): void;
}
