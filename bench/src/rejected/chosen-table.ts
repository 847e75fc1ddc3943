/** ChosenTable: the design that the project uses, one tree of mappings by where they start; see docs/adr/0010. */
import {
  MappingTable,
  SELECTED_SPLIT,
  SELECTED_WHOLE,
  type TranslationResult,
} from '@viommu/iommu-core';
import type { CandidateTable } from './candidate-table.ts';

const GRANULE = 4096;

export class ChosenTable implements CandidateTable {
  readonly #table = new MappingTable(GRANULE);
  /** Used again for each call, as a device does. */
  readonly #mapping = { virtStart: 0, virtEnd: 0, physStart: 0, flags: 0 };

  translate(address: number, length: number, access: number, out: TranslationResult): number {
    return this.#table.translate(address, length, access, out);
  }

  map(virtStart: number, virtEnd: number, physStart: number, flags: number): boolean {
    const mapping = this.#mapping;
    mapping.virtStart = virtStart;
    mapping.virtEnd = virtEnd;
    mapping.physStart = physStart;
    mapping.flags = flags;
    if (this.#table.overlaps(mapping)) return false;
    this.#table.insert(mapping);
    return true;
  }

  unmap(virtStart: number, virtEnd: number): boolean {
    const range = this.#mapping;
    range.virtStart = virtStart;
    range.virtEnd = virtEnd;
    const selected = this.#table.select(range);
    if (selected === SELECTED_WHOLE) this.#table.remove(range);
    return selected !== SELECTED_SPLIT;
  }
}
