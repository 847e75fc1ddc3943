/** ChosenTable: the design that the project uses, one tree of mappings by where they start; see docs/adr/0009. */
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

  translate(address: number, length: number, access: number, out: TranslationResult): number {
    return this.#table.translate(address, length, access, out);
  }

  map(virtStart: number, virtEnd: number, physStart: number, flags: number): boolean {
    if (this.#table.overlaps(virtStart, virtEnd)) return false;
    this.#table.insert(virtStart, virtEnd, physStart, flags);
    return true;
  }

  unmap(virtStart: number, virtEnd: number): boolean {
    const selected = this.#table.select(virtStart, virtEnd);
    if (selected === SELECTED_WHOLE) this.#table.remove(virtStart, virtEnd);
    return selected !== SELECTED_SPLIT;
  }
}
