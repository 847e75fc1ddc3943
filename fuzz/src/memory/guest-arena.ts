/** GuestArena: guest memory for one input after the other, with a second copy that says what must be in it. */
import {
  ACCESS_READ,
  ACCESS_WRITE,
  ArrayGuestMemory,
  type ArrayRegion,
  joinLe64,
} from '@viommu/virtqueue';
import { violated } from '../engine/invariant.ts';

/** A run of addresses. */
export interface ArenaRegion {
  readonly base: number;
  /** Where in the buffer the bytes are. What lies between regions must never change. */
  readonly offset: number;
  readonly length: number;
  /** ACCESS_READ for a ROM; both by default. */
  readonly access?: number;
}

const BOTH = ACCESS_READ | ACCESS_WRITE;

export class GuestArena {
  readonly memory: ArrayGuestMemory;
  readonly #layout: readonly ArenaRegion[];
  readonly #bytes: Uint8Array;
  /** What the driver wrote, and what the device should have. */
  readonly #expected: Uint8Array;
  #regions: readonly ArenaRegion[];

  constructor(layout: readonly ArenaRegion[], buffer: ArrayBufferLike) {
    this.#layout = layout;
    this.#regions = layout;
    this.#bytes = new Uint8Array(buffer);
    this.#expected = new Uint8Array(buffer.byteLength);
    this.memory = new ArrayGuestMemory(this.#arrayRegions());
  }

  /** All zero, and all regions there. */
  reset(): void {
    this.#bytes.fill(0);
    this.#expected.fill(0);
    if (this.#regions !== this.#layout) this.keepRegions(this.#layout.length);
  }

  /** Leaves the first regions there; windows are not valid any more, even if it is all of them. */
  keepRegions(count: number): void {
    this.#regions = count >= this.#layout.length ? this.#layout : this.#layout.slice(0, count);
    this.memory.setRegions(this.#arrayRegions());
  }

  /** Whether all of the range is there and can be accessed so. */
  holds(address: number, length: number, access: number): boolean {
    for (let done = 0; done < length; ) {
      const region = this.#regionOf(address + done);
      if (region === undefined || ((region.access ?? BOTH) & access) !== access) return false;
      done = region.base + region.length - address;
    }
    return true;
  }

  /** The driver writes; what is not there is left out. @param width in bytes, up to 4 */
  put(address: number, value: number, width: number): void {
    const region = this.#regionOf(address);
    const at = region === undefined ? -1 : address - region.base + region.offset;
    // Of a field that goes on in another region each byte is looked for.
    if (width > 1 && !isWithin(region, address, width)) {
      this.put(address, value, 1);
      this.put(address + 1, value >>> 8, width - 1);
    } else if (at >= 0) {
      for (let byte = 0; byte < width; byte += 1) {
        const part = value >>> (8 * byte);
        this.#bytes[at + byte] = part;
        this.#expected[at + byte] = part;
      }
    }
  }

  /** What is to be there; 0 where nothing is. @param width in bytes, up to 4 */
  expected(address: number, width: number): number {
    const region = this.#regionOf(address);
    if (width > 1 && !isWithin(region, address, width)) {
      return this.expected(address, 1) + 2 ** 8 * this.expected(address + 1, width - 1);
    }
    if (region === undefined) return 0;
    const at = address - region.base + region.offset;
    let value = 0;
    for (let byte = width - 1; byte >= 0; byte -= 1) {
      value = value * 2 ** 8 + this.#expected[at + byte]!;
    }
    return value;
  }

  expected64(address: number): number {
    return joinLe64(this.expected(address, 4), this.expected(address + 4, 4));
  }

  /** The device is to write this. @param width in bytes, up to 4 */
  expect(address: number, value: number, width: number): void {
    for (let byte = 0; byte < width; byte += 1) {
      const at = this.#locate(address + byte);
      if (at >= 0) this.#expected[at] = value >>> (8 * byte);
    }
  }

  /** The device may have written whatever there is in the range. */
  admit(address: number, length: number): void {
    for (const region of this.#regions) {
      const from = Math.max(address, region.base);
      const to = Math.min(address + length, region.base + region.length);
      if (from >= to) continue;
      const at = from - region.base + region.offset;
      this.#expected.set(this.#bytes.subarray(at, at + (to - from)), at);
    }
  }

  /** @throws InvariantError when a byte is not what it must be, between the regions, too */
  check(): void {
    if (Buffer.compare(this.#bytes, this.#expected) === 0) return;
    const at = this.#bytes.findIndex((byte, index) => byte !== this.#expected[index]);
    const region = this.#regions.find(({ offset, length }) => at >= offset && at - offset < length);
    const address =
      region === undefined ? 'between regions' : `at ${at - region.offset + region.base}`;
    violated(`${this.#bytes[at]} in place of ${this.#expected[at]} is ${address}`);
  }

  #locate(address: number): number {
    const region = this.#regionOf(address);
    return region === undefined ? -1 : address - region.base + region.offset;
  }

  #regionOf(address: number): ArenaRegion | undefined {
    const regions = this.#regions;
    for (let index = 0; index < regions.length; index += 1) {
      const region = regions[index]!;
      if (address >= region.base && address - region.base < region.length) return region;
    }
    return undefined;
  }

  #arrayRegions(): ArrayRegion[] {
    return this.#regions.map((region) => ({ ...region, buffer: this.#bytes.buffer }));
  }
}

function isWithin(region: ArenaRegion | undefined, address: number, width: number): boolean {
  return region !== undefined && address - region.base + width <= region.length;
}
