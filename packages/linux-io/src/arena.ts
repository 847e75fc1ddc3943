/** Memory outside the JavaScript heap: it never moves, so the kernel can be given its address again and again. */
import { MAP_ANONYMOUS, MAP_NORESERVE, MAP_PRIVATE, PROT_READ, PROT_WRITE } from './constants.ts';
import { LinuxIoError } from './error.ts';
import { type Libc, MAP_FAILED, type Pointer } from './libc.ts';

/** Arenas that were given back, by size. They are used again and never unmapped, so no view of one can dangle. */
const spares = new Map<number, Arena[]>();

export class Arena {
  readonly address: Pointer;
  readonly buffer: ArrayBuffer;
  readonly view: DataView;

  private constructor(address: Pointer, buffer: ArrayBuffer) {
    this.address = address;
    this.buffer = buffer;
    this.view = new DataView(buffer);
  }

  /**
   * @param size in bytes; only what is touched takes memory
   * @throws {LinuxIoError} SYSTEM
   */
  static take(libc: Libc, size: number): Arena {
    const spare = spares.get(size)?.pop();
    if (spare !== undefined) {
      return spare;
    }
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    const address = libc.mmap(0n, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (address === MAP_FAILED) {
      throw new LinuxIoError('SYSTEM', `No memory for ${size} bytes of buffers`);
    }
    return new Arena(address, libc.view(address, size));
  }

  /** The caller must not use the arena any more. */
  giveBack(): void {
    const list = spares.get(this.buffer.byteLength);
    if (list === undefined) {
      spares.set(this.buffer.byteLength, [this]);
    } else {
      list.push(this);
    }
  }

  addressOf(offset: number): Pointer {
    return this.address + BigInt(offset);
  }
}
