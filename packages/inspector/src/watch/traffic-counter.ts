/** TrafficCounter: what went through an IOMMU for one endpoint, in intervals that get longer instead of more. */
import type { EndpointTraffic } from './inspector-messages.ts';

export const INTERVALS_MAX = 512;
/** Microseconds. */
export const FIRST_INTERVAL = 1000;

export class TrafficCounter {
  readonly #iommu: number;
  readonly #endpoint: number;
  #readBytes = 0;
  #writtenBytes = 0;
  #accesses = 0;
  #faults = 0;
  #interval = FIRST_INTERVAL;
  #bytes: number[] = [];
  /** Whether there is news since {@link take}. */
  #changed = true;

  constructor(iommu: number, endpoint: number) {
    this.#iommu = iommu;
    this.#endpoint = endpoint;
  }

  add(time: number, length: number, isWrite: boolean): void {
    if (isWrite) this.#writtenBytes += length;
    else this.#readBytes += length;
    this.#accesses += 1;
    this.#changed = true;
    while (time >= this.#interval * INTERVALS_MAX) this.#double();
    const at = Math.floor(time / this.#interval);
    while (this.#bytes.length <= at) this.#bytes.push(0);
    this.#bytes[at]! += length;
  }

  addFault(): void {
    this.#faults += 1;
    this.#changed = true;
  }

  /** @returns undefined when there is no news, and not all is asked for */
  take(all: boolean): EndpointTraffic | undefined {
    if (!this.#changed && !all) return undefined;
    this.#changed = false;
    return {
      iommu: this.#iommu,
      endpoint: this.#endpoint,
      readBytes: this.#readBytes,
      writtenBytes: this.#writtenBytes,
      accesses: this.#accesses,
      faults: this.#faults,
      interval: this.#interval,
      bytes: [...this.#bytes],
    };
  }

  #double(): void {
    const halves: number[] = [];
    for (let at = 0; at < this.#bytes.length; at += 2) {
      halves.push(this.#bytes[at]! + (this.#bytes[at + 1] ?? 0));
    }
    this.#bytes = halves;
    this.#interval *= 2;
  }
}
