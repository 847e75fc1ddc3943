/** LookAsideTable: a rejected design: the chosen table behind 1024 translations that were made before, as an IOTLB has them. */
import { TRANSLATION_OK, type TranslationResult } from '@viommu/iommu-core';
import type { CandidateTable } from './candidate-table.ts';
import { ChosenTable } from './chosen-table.ts';

const PAGE = 4096;
/** 2^-12. */
const PAGES_PER_BYTE = 0.000244140625;
const SLOTS = 1024;
const SLOT_MASK = 1023;
const NO_PAGE = -1;
/** A mapping's end is told by how much of an access is left. */
const LONGEST = 2 ** 53;

/** Each page has one slot that it can be in. */
export class LookAsideTable implements CandidateTable {
  readonly #table = new ChosenTable();
  readonly #pages = new Float64Array(SLOTS).fill(NO_PAGE);
  readonly #ends = new Float64Array(SLOTS);
  /** What to add to a virtual address to get the physical one. */
  readonly #deltas = new Float64Array(SLOTS);
  /** The accesses that were let through. */
  readonly #access = new Uint8Array(SLOTS);

  translate(address: number, length: number, access: number, out: TranslationResult): number {
    const page = Math.floor(address * PAGES_PER_BYTE);
    const slot = page & SLOT_MASK;
    if (this.#pages[slot] !== page || (this.#access[slot]! & access) !== access) {
      const code = this.#table.translate(address, LONGEST, access, out);
      if (code !== TRANSLATION_OK) return code;
      this.#pages[slot] = page;
      this.#access[slot] = access;
      this.#ends[slot] = address + out.length - 1;
      this.#deltas[slot] = out.physical - address;
    }
    const available = this.#ends[slot]! - address + 1;
    out.physical = address + this.#deltas[slot]!;
    out.length = Math.min(available, length);
    out.bypass = false;
    return TRANSLATION_OK;
  }

  map(virtStart: number, virtEnd: number, physStart: number, flags: number): boolean {
    return this.#table.map(virtStart, virtEnd, physStart, flags);
  }

  unmap(virtStart: number, virtEnd: number): boolean {
    if (!this.#table.unmap(virtStart, virtEnd)) return false;
    const first = Math.floor(virtStart / PAGE);
    const last = Math.floor(virtEnd / PAGE);
    if (last - first >= SLOTS) {
      this.#pages.fill(NO_PAGE);
      return true;
    }
    for (let page = first; page <= last; page += 1) {
      if (this.#pages[page & SLOT_MASK] === page) this.#pages[page & SLOT_MASK] = NO_PAGE;
    }
    return true;
  }
}
