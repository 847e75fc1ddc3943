/** FaultLog: the last translations that the simulated IOMMU refused, as a physical one would record them. */

/** One refused translation. */
export interface FaultEntry {
  readonly endpoint: number;
  readonly address: number;
  /** ACCESS_READ, ACCESS_WRITE or both. */
  readonly access: number;
  /** TRANSLATION_NO_DOMAIN or TRANSLATION_NO_MAPPING. */
  readonly code: number;
}

/** Keeps the last faults, and how many there were; handed to `simBackend`. */
export class FaultLog {
  /** Faults so far, those that were overwritten included. */
  total = 0;
  readonly #capacity: number;
  readonly #endpoints: Float64Array;
  readonly #addresses: Float64Array;
  readonly #accesses: Uint8Array;
  readonly #codes: Uint8Array;

  /** @param capacity faults to keep, at least 1 */
  constructor(capacity = 64) {
    this.#capacity = capacity;
    this.#endpoints = new Float64Array(capacity);
    this.#addresses = new Float64Array(capacity);
    this.#accesses = new Uint8Array(capacity);
    this.#codes = new Uint8Array(capacity);
  }

  record(endpoint: number, address: number, access: number, code: number): void {
    const slot = this.total % this.#capacity;
    this.#endpoints[slot] = endpoint;
    this.#addresses[slot] = address;
    this.#accesses[slot] = access;
    this.#codes[slot] = code;
    this.total += 1;
  }

  /** The faults that are kept, oldest first. */
  entries(): FaultEntry[] {
    const kept = Math.min(this.total, this.#capacity);
    return Array.from({ length: kept }, (_, index) => {
      const slot = (this.total - kept + index) % this.#capacity;
      return {
        endpoint: this.#endpoints[slot]!,
        address: this.#addresses[slot]!,
        access: this.#accesses[slot]!,
        code: this.#codes[slot]!,
      };
    });
  }
}
