/** DmaCopy: one copy of the engine, page by page, in portions. */
import { ACCESS_READ, ACCESS_WRITE, type GuestMemory } from '@viommu/virtqueue';
import type { SnapshotReader } from '@viommu/virtqueue/snapshot';

/** No piece crosses a page, so that a refused one tells where to the page's start or better. */
const PIECE = 4096;
/** What is copied before other devices have their turn. */
const PORTION = 256 * 1024;

const LONGEST = 0xffff_ffff;

/** How far a copy is: addresses and bytes that are left. */
export interface DmaCopySnapshot {
  readonly source: number;
  readonly destination: number;
  readonly left: number;
}

export class DmaCopy {
  #source = 0;
  #destination = 0;
  #left = 0;
  readonly #piece = new Uint8Array(PIECE);
  /** Where the access that was refused began. */
  errorAddress = 0;
  /** ACCESS_READ or ACCESS_WRITE when an access was refused, 0 while none was. */
  errorAccess = 0;

  start(source: number, destination: number, length: number): void {
    this.#source = source;
    this.#destination = destination;
    this.#left = length;
    this.errorAddress = 0;
    this.errorAccess = 0;
  }

  snapshot(): DmaCopySnapshot {
    return { source: this.#source, destination: this.#destination, left: this.#left };
  }

  /** @returns what brings the copy back @throws VirtioError `SNAPSHOT` */
  prepareRestore(snapshot: SnapshotReader): () => void {
    const source = snapshot.field('source').integer(0, Number.MAX_SAFE_INTEGER);
    const destination = snapshot.field('destination').integer(0, Number.MAX_SAFE_INTEGER);
    const left = snapshot.field('left').integer(0, LONGEST);
    return () => this.start(source, destination, left);
  }

  /** @returns whether the copy has come to its end, by what it was to copy or by an access that was refused */
  work(memory: GuestMemory): boolean {
    for (let portion = 0; portion < PORTION && this.#left > 0; ) {
      const length = Math.min(
        this.#left,
        PIECE - (this.#source % PIECE),
        PIECE - (this.#destination % PIECE),
      );
      if (!memory.read(this.#source, this.#piece, 0, length)) {
        return this.#refused(this.#source, ACCESS_READ);
      }
      if (!memory.write(this.#destination, this.#piece, 0, length)) {
        return this.#refused(this.#destination, ACCESS_WRITE);
      }
      this.#source += length;
      this.#destination += length;
      this.#left -= length;
      portion += length;
    }
    return this.#left === 0;
  }

  #refused(address: number, access: number): true {
    this.errorAddress = address;
    this.errorAccess = access;
    this.#left = 0;
    return true;
  }
}
