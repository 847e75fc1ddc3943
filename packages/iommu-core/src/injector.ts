/** The contract IommuInjector: how a test of guest drivers has the device answer as a failing one would. Types and docs only. */
import type { RequestRecord } from './observer.ts';

/** What becomes of one request. The device owns and reuses it; it is handed over as it says "nothing is changed". */
export interface RequestVerdict {
  /** VIRTIO_IOMMU_S_* to answer with, and nothing is carried out then; -1 to carry the request out. */
  status: number;
  /** `len` of the used element, at most what was written; -1 for what was written. */
  usedLength: number;
  /** The answer is written, but the buffers stay with the device until `releaseAnswer`. */
  isHeld: boolean;
}

/**
 * Called in line, by the rules of `IommuObserver`. Without an injector a request and a fault cost one comparison each; a device
 * with one may break the standard wherever it says so.
 */
export interface IommuInjector {
  /** A request that can be answered is about to be carried out; `status` and `usedLength` of the record mean nothing yet. */
  request?(record: RequestRecord, verdict: RequestVerdict): void;
  /**
   * A fault is about to be reported.
   *
   * @returns true to drop the report
   */
  event?(endpoint: number, reason: number, access: number, address: number): boolean;
}
