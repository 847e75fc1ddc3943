/** Guest RAM that a VMM shares by file descriptor: each file is mapped whole, once, for all functions. */
import { fstatSync } from 'node:fs';
import {
  EACCES,
  EINVAL,
  type Libc,
  MAP_ANONYMOUS,
  MAP_FAILED,
  MAP_FIXED,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  O_ACCMODE,
  O_PATH,
  O_RDWR,
  O_WRONLY,
  type Pointer,
  PROT_READ,
  PROT_WRITE,
} from '@viommu/linux-io';
import { type ByteViews, viewBytes } from '@viommu/virtqueue';

/** A typed array of Node.js 20 ends at 4 GiB, and offsets below 2^30 stay small integers in the engine. */
const CHUNK_SIZE = 2 ** 30;
/** Files without a mapping that stay mapped: firmware takes all RAM away and gives it back several times. */
const MAX_IDLE = 4;

/** One file, shown in chunks of 1 GiB. */
export interface GuestRam {
  /** Which file it is, and whether it may be written: else, writing is a fatal signal. */
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  readonly chunks: readonly ByteViews[];
}

export function chunkIndex(offset: number): number {
  return Math.floor(offset / CHUNK_SIZE);
}

export function chunkOffset(offset: number): number {
  return offset % CHUNK_SIZE;
}

/** Whether a file that was opened so can be mapped. */
function allows(flags: number, forWriting: boolean): boolean {
  const mode = flags & O_ACCMODE;
  if (flags < 0 || (flags & O_PATH) !== 0 || mode === O_WRONLY) return false;
  return mode === O_RDWR || !forWriting;
}

interface Mapping {
  readonly address: Pointer;
  ram: GuestRam;
  references: number;
}

/**
 * Nothing is ever unmapped: a view of unmapped memory would be a fatal signal in whoever still holds one. When the last
 * reference goes, empty private memory is laid over the file's, which frees the guest's RAM; the address range, with its
 * views, waits for the next file of the same size.
 */
export class GuestRamPool {
  readonly #libc: Libc;
  readonly #mapped = new Map<string, Mapping>();
  readonly #retired = new Map<number, Mapping[]>();

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /**
   * Maps the file, or counts one more reference when it is mapped. The descriptor stays the caller's.
   *
   * @param end the file must be at least so long, in bytes
   * @param forWriting whether a mapping that cannot be written will not do
   * @returns an errno when the file is shorter or cannot be mapped
   */
  acquire(fd: number, end: number, forWriting: boolean): GuestRam | number {
    const { dev, ino, size: bigSize } = fstatSync(fd, { bigint: true });
    const size = Number(bigSize);
    if (size < end) {
      return EINVAL;
    }
    // Another client may have mapped the file by a better descriptor: that gives this one no more than its own does.
    if (!allows(this.#libc.openFlags(fd), forWriting)) {
      return EACCES;
    }
    const file = `${dev}:${ino}:${size}`;
    const mapping =
      this.#mapped.get(`${file}:rw`) ??
      this.#map(fd, `${file}:rw`, size, PROT_READ | PROT_WRITE) ??
      (forWriting ? undefined : this.#mapped.get(`${file}:r`)) ??
      (forWriting ? undefined : this.#map(fd, `${file}:r`, size, PROT_READ));
    if (mapping === undefined) {
      return EACCES;
    }
    mapping.references++;
    return mapping.ram;
  }

  release(ram: GuestRam): void {
    const mapping = this.#mapped.get(ram.key)!;
    mapping.references--;
    if (mapping.references === 0) {
      // To the end of the map's order, so that the file idle for longest is the first to go.
      this.#mapped.delete(ram.key);
      this.#mapped.set(ram.key, mapping);
      this.releaseIdle(MAX_IDLE);
    }
  }

  /** Gives back files without a reference, down to `keep` of them. */
  releaseIdle(keep = 0): void {
    const idle = [...this.#mapped.values()].filter((mapping) => mapping.references === 0);
    for (const mapping of idle.slice(0, Math.max(0, idle.length - keep))) {
      this.#retire(mapping);
    }
  }

  #map(fd: number, key: string, size: number, protection: number): Mapping | undefined {
    const spare = this.#retired.get(size)?.pop();
    const flags = spare === undefined ? MAP_SHARED : MAP_SHARED | MAP_FIXED;
    const address = this.#libc.mmap(spare?.address ?? 0n, size, protection, flags, fd, 0);
    if (address === MAP_FAILED) {
      if (spare !== undefined) {
        this.#layOver(spare);
      }
      return undefined;
    }
    const mapping = spare ?? this.#show(address, size);
    mapping.ram = { ...mapping.ram, key };
    this.#mapped.set(key, mapping);
    return mapping;
  }

  #show(address: Pointer, size: number): Mapping {
    const chunks: ByteViews[] = [];
    for (let offset = 0; offset < size; offset += CHUNK_SIZE) {
      const length = Math.min(CHUNK_SIZE, size - offset);
      chunks.push(viewBytes(new Uint8Array(this.#libc.view(address + BigInt(offset), length))));
    }
    return { address, references: 0, ram: { key: '', size, chunks } };
  }

  #retire(mapping: Mapping): void {
    this.#mapped.delete(mapping.ram.key);
    this.#layOver(mapping);
  }

  #layOver(mapping: Mapping): void {
    const { size } = mapping.ram;
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    this.#libc.mmap(mapping.address, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    const list = this.#retired.get(size);
    if (list === undefined) {
      this.#retired.set(size, [mapping]);
    } else {
      list.push(mapping);
    }
  }
}
