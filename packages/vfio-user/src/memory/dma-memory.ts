/** The guest's memory as one function's DMA reaches it: in place where the client shares it, else by messages. */
import {
  ACCESS_READ,
  ACCESS_WRITE,
  type MappedMemory,
  type MemoryRegion,
  type MemoryWindow,
  WINDOW_DENIED,
  WINDOW_INVISIBLE,
} from '@viommu/virtqueue';
import { VFIO_USER_DMA_FLAG_READ, VFIO_USER_DMA_FLAG_WRITE } from '../protocol/constants.ts';
import { DmaTable, type DmaWindow } from './dma-table.ts';
import { chunkIndex, chunkOffset, type GuestRam, type GuestRamPool } from './guest-ram.ts';

/** Access to memory that the client does not share: VFIO_USER_DMA_READ and VFIO_USER_DMA_WRITE. */
export interface DmaMessages {
  /** Both answer false when the client refuses, is gone, or no message may be sent at this moment. */
  readDma(address: number, target: Uint8Array, targetOffset: number, length: number): boolean;
  writeDma(address: number, source: Uint8Array, sourceOffset: number, length: number): boolean;
}

/** Below this, a loop is cheaper than the view that a block copy needs. */
const BLOCK_COPY_LENGTH = 64;

export class DmaMemory implements MappedMemory {
  generation = 0;
  /** Its client's CPUs and other devices access it meanwhile. */
  readonly isShared = true;
  readonly #pool: GuestRamPool;
  readonly #messages: DmaMessages;
  readonly #table = new DmaTable();
  readonly #release = (window: DmaWindow): void => {
    if (window.ram !== undefined) {
      this.#pool.release(window.ram);
    }
  };

  constructor(pool: GuestRamPool, messages: DmaMessages) {
    this.#pool = pool;
    this.#messages = messages;
  }

  /**
   * @param flags VFIO_USER_DMA_FLAG_READ, VFIO_USER_DMA_FLAG_WRITE or both
   * @param fd stays the caller's; undefined when the client shares nothing
   * @returns 0 or an errno
   */
  map(address: number, size: number, flags: number, fd?: number, fileOffset = 0): number {
    const errno = this.#table.check(address, size);
    if (errno !== 0) {
      return errno;
    }
    let ram: GuestRam | undefined;
    if (fd !== undefined) {
      const forWriting = (flags & VFIO_USER_DMA_FLAG_WRITE) !== 0;
      const acquired = this.#pool.acquire(fd, fileOffset + size, forWriting);
      if (typeof acquired === 'number') {
        return acquired;
      }
      ram = acquired;
    }
    const access =
      ((flags & VFIO_USER_DMA_FLAG_READ) !== 0 ? ACCESS_READ : 0) |
      ((flags & VFIO_USER_DMA_FLAG_WRITE) !== 0 ? ACCESS_WRITE : 0);
    this.#table.add({ start: address, end: address + size - 1, access, ram, fileOffset });
    return 0;
  }

  /** @returns 0, ENOENT when nothing is mapped there, EINVAL when a window lies only partly within the range */
  unmap(address: number, size: number): number {
    const errno = this.#table.remove(address, size, this.#release);
    if (errno === 0) {
      this.generation++;
    }
    return errno;
  }

  get regions(): readonly MemoryRegion[] {
    return this.#table.windows.map(({ start, end, access }) => ({ start, end, access }));
  }

  unmapAll(): void {
    this.unmap(0, Number.MAX_SAFE_INTEGER);
  }

  window(address: number, length: number, access: number, out: MemoryWindow): number {
    const window = this.#table.find(address);
    if (window === undefined || (window.access & access) !== access) {
      return WINDOW_DENIED;
    }
    const { ram } = window;
    if (ram === undefined) {
      return WINDOW_INVISIBLE;
    }
    const fileOffset = window.fileOffset + (address - window.start);
    const { bytes, view, words } = ram.chunks[chunkIndex(fileOffset)]!;
    out.bytes = bytes;
    out.view = view;
    out.words = words;
    out.offset = chunkOffset(fileOffset);
    out.length = Math.min(length, window.end - address + 1, out.bytes.length - out.offset);
    return out.length;
  }

  read(address: number, target: Uint8Array, targetOffset: number, length: number): boolean {
    // Each part is looked up anew: while a message is awaited, the client may change its windows.
    for (let done = 0; done < length; ) {
      const at = address + done;
      const window = this.#table.find(at);
      if (window === undefined || (window.access & ACCESS_READ) === 0) {
        return false;
      }
      const part = partLength(window, at, length - done);
      if (window.ram === undefined) {
        if (!this.#messages.readDma(at, target, targetOffset + done, part)) {
          return false;
        }
      } else {
        const fileOffset = window.fileOffset + (at - window.start);
        const bytes = window.ram.chunks[chunkIndex(fileOffset)]!.bytes;
        copy(bytes, chunkOffset(fileOffset), target, targetOffset + done, part);
      }
      done += part;
    }
    return true;
  }

  write(address: number, source: Uint8Array, sourceOffset: number, length: number): boolean {
    for (let done = 0; done < length; ) {
      const at = address + done;
      const window = this.#table.find(at);
      if (window === undefined || (window.access & ACCESS_WRITE) === 0) {
        return false;
      }
      const part = partLength(window, at, length - done);
      if (window.ram === undefined) {
        if (!this.#messages.writeDma(at, source, sourceOffset + done, part)) {
          return false;
        }
      } else {
        const fileOffset = window.fileOffset + (at - window.start);
        const bytes = window.ram.chunks[chunkIndex(fileOffset)]!.bytes;
        copy(source, sourceOffset + done, bytes, chunkOffset(fileOffset), part);
      }
      done += part;
    }
    return true;
  }
}

/** How much of an access lies in one window and, when that is shown in place, in one chunk. */
function partLength(window: DmaWindow, address: number, length: number): number {
  const inWindow = Math.min(length, window.end - address + 1);
  if (window.ram === undefined) {
    return inWindow;
  }
  const fileOffset = window.fileOffset + (address - window.start);
  const chunk = window.ram.chunks[chunkIndex(fileOffset)]!.bytes;
  return Math.min(inWindow, chunk.length - chunkOffset(fileOffset));
}

function copy(
  source: Uint8Array,
  sourceOffset: number,
  target: Uint8Array,
  targetOffset: number,
  length: number,
): void {
  if (length >= BLOCK_COPY_LENGTH) {
    target.set(source.subarray(sourceOffset, sourceOffset + length), targetOffset);
    return;
  }
  for (let index = 0; index < length; index++) {
    target[targetOffset + index] = source[sourceOffset + index]!;
  }
}
