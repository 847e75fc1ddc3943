/** The contract CandidateTable: what a table of mappings has to do to be compared. Types and docs only. */
import type { TranslationResult } from '@viommu/iommu-core';

/** The mappings of one domain. Addresses are in bytes, ends are inclusive. */
export interface CandidateTable {
  /**
   * Translates the start of an access by the mapping that covers it.
   *
   * @param access ACCESS_READ, ACCESS_WRITE or both
   * @returns TRANSLATION_OK or TRANSLATION_NO_MAPPING
   */
  translate(address: number, length: number, access: number, out: TranslationResult): number;
  /**
   * @param flags VIRTIO_IOMMU_MAP_F_*
   * @returns false, and nothing is changed, when an address of the range is mapped already
   */
  map(virtStart: number, virtEnd: number, physStart: number, flags: number): boolean;
  /**
   * Removes the mappings in a range; there may be none.
   *
   * @returns false, and nothing is changed, when a mapping lies only partly in the range
   */
  unmap(virtStart: number, virtEnd: number): boolean;
}
