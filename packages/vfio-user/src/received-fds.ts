/** The file descriptors that came with one message: what no handler takes is closed. */
import type { Libc } from '@viommu/linux-io';
import { MAX_MSG_FDS } from './protocol/constants.ts';

const TAKEN = -1;

export class ReceivedFds {
  readonly #libc: Libc;
  readonly #fds = new Int32Array(MAX_MSG_FDS).fill(TAKEN);
  #count = 0;

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  get count(): number {
    return this.#count;
  }

  /** Takes over a descriptor; one too many is closed, and the answer false. */
  add(fd: number): boolean {
    if (this.#count === MAX_MSG_FDS) {
      this.#libc.close(fd);
      return false;
    }
    this.#fds[this.#count++] = fd;
    return true;
  }

  /** The descriptor, still owned by the message. */
  peek(index: number): number {
    return this.#fds[index]!;
  }

  /** Hands the descriptor to the caller, who closes it. */
  take(index: number): number {
    const fd = this.#fds[index]!;
    this.#fds[index] = TAKEN;
    return fd;
  }

  closeAll(): void {
    for (let index = 0; index < this.#count; index++) {
      if (this.#fds[index] !== TAKEN) {
        this.#libc.close(this.#fds[index]!);
        this.#fds[index] = TAKEN;
      }
    }
    this.#count = 0;
  }
}
