/** Interrupts of one function: eventfds that the client set ("VFIO_USER_DEVICE_SET_IRQS"), and what waits for one. */
import type { Libc, Pointer } from '@viommu/linux-io';

const NO_EVENTFD = -1;
const EVENTFD_VALUE_SIZE = 8;

export class Interrupts {
  /** 1 when the function has an INTx pin, else 0. */
  readonly intxCount: number;
  readonly msixCount: number;

  readonly #libc: Libc;
  /** Address of a 64-bit 1, what is written to an eventfd. */
  readonly #one: Pointer;
  #intxFd = NO_EVENTFD;
  #intxAsserted = false;
  #intxMasked = false;
  readonly #msixFds: Int32Array;
  /** By vector: 1 when it was signalled while there was no eventfd for it. */
  readonly #msixPending: Uint8Array;

  constructor(libc: Libc, one: Pointer, intxCount: number, msixCount: number) {
    this.#libc = libc;
    this.#one = one;
    this.intxCount = intxCount;
    this.msixCount = msixCount;
    this.#msixFds = new Int32Array(msixCount).fill(NO_EVENTFD);
    this.#msixPending = new Uint8Array(msixCount);
  }

  /** The function drives its line. */
  setIntx(asserted: boolean): void {
    this.#intxAsserted = asserted;
    this.#raiseIntx();
  }

  /**
   * The function signals a vector. QEMU takes all eventfds away and sends them anew when the guest unmasks one more
   * vector: what is signalled in between is kept.
   */
  signalMsix(vector: number): void {
    const fd = this.#msixFds[vector];
    if (fd === undefined) {
      return;
    }
    if (fd === NO_EVENTFD) {
      this.#msixPending[vector] = 1;
    } else {
      this.#fire(fd);
    }
  }

  /** Takes over the descriptor; none takes the line's eventfd away. */
  setIntxEventfd(fd = NO_EVENTFD): void {
    this.#close(this.#intxFd);
    this.#intxFd = this.#adopt(fd);
    this.#intxMasked = false;
    this.#raiseIntx();
  }

  maskIntx(): void {
    this.#intxMasked = true;
  }

  /** The level counts: a line that is still asserted is signalled at once. */
  unmaskIntx(): void {
    this.#intxMasked = false;
    this.#raiseIntx();
  }

  /** The client asks for the interrupt, whatever the line's level. */
  triggerIntx(): void {
    if (this.#intxFd !== NO_EVENTFD) {
      this.#fire(this.#intxFd);
    }
  }

  /** Takes over the descriptor; none takes the vector's eventfd away. */
  setMsixEventfd(vector: number, fd = NO_EVENTFD): void {
    this.#close(this.#msixFds[vector]!);
    const adopted = this.#adopt(fd);
    this.#msixFds[vector] = adopted;
    if (adopted !== NO_EVENTFD && this.#msixPending[vector] === 1) {
      this.#msixPending[vector] = 0;
      this.#fire(adopted);
    }
  }

  /** Takes every vector's eventfd away. */
  disableMsix(): void {
    for (let vector = 0; vector < this.msixCount; vector++) {
      this.setMsixEventfd(vector);
    }
  }

  /** The function was reset: nothing is asserted or waiting. The eventfds are the client's, and stay. */
  reset(): void {
    this.#intxAsserted = false;
    this.#msixPending.fill(0);
  }

  close(): void {
    this.setIntxEventfd();
    this.disableMsix();
  }

  // VFIO_IRQ_INFO_AUTOMASKED: "masks itself after being triggered".
  #raiseIntx(): void {
    if (this.#intxAsserted && !this.#intxMasked && this.#intxFd !== NO_EVENTFD) {
      this.#intxMasked = true;
      this.#fire(this.#intxFd);
    }
  }

  #fire(fd: number): void {
    this.#libc.write(fd, this.#one, EVENTFD_VALUE_SIZE);
  }

  /** A descriptor that could block would stop every function. */
  #adopt(fd: number): number {
    if (fd !== NO_EVENTFD && this.#libc.setNonBlocking(fd) < 0) {
      this.#libc.close(fd);
      return NO_EVENTFD;
    }
    return fd;
  }

  #close(fd: number): void {
    if (fd !== NO_EVENTFD) {
      this.#libc.close(fd);
    }
  }
}
