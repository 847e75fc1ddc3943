/** DescriptorNetBackend: what the network backends of this folder share: a descriptor that never blocks, and its end. */
import { type Arena, describeErrno, EAGAIN, EINTR, type Libc } from '@viommu/linux-io';
import type { Logger } from '@viommu/virtqueue';
import type { NetBackend, NetBackendListener, NetFrame } from '../net/net-backend.ts';

/**
 * A network backend of this system. Whoever waits for the thread's descriptors waits for this one too, as
 * `VfioUserServer.watch` does: it asks `wantsRead` and `wantsWrite` before, and calls `ready` after.
 */
export interface SystemNetBackend extends NetBackend {
  /** Negative when the link is down for good. */
  readonly fd: number;
  wantsRead(): boolean;
  wantsWrite(): boolean;
  ready(readable: boolean, writable: boolean): void;
  /** Closes the descriptor; the backend must not be used any more. */
  close(): void;
}

const CLOSED = -1;

export abstract class DescriptorNetBackend implements SystemNetBackend {
  abstract readonly largestFrame: number;
  abstract readonly canSend: boolean;
  protected readonly libc: Libc;
  /** Where frames come in and go out. */
  protected readonly arena: Arena;
  protected readonly bytes: Uint8Array;
  readonly #name: string;
  readonly #logger: Logger;
  #fd: number;
  #listener: NetBackendListener | undefined;
  /** Something may be there to read. The descriptor is not waited for again before all of it was read. */
  #readable = false;
  /** The network has refused to take more. */
  #blocked = false;
  #closed = false;

  constructor(libc: Libc, fd: number, arena: Arena, name: string, logger: Logger) {
    this.libc = libc;
    this.arena = arena;
    this.bytes = new Uint8Array(arena.buffer);
    this.#fd = fd;
    this.#name = name;
    this.#logger = logger;
  }

  abstract receive(frame: NetFrame): boolean;
  abstract reserve(length: number, frame: NetFrame): void;
  abstract commit(): void;
  abstract flush(): void;
  /** The link is down for good: what waits to be sent or received is gone. */
  protected abstract forget(): void;

  get fd(): number {
    return this.#fd;
  }

  get linkUp(): boolean {
    return this.#fd !== CLOSED;
  }

  listen(listener: NetBackendListener): void {
    this.#listener = listener;
  }

  wantsRead(): boolean {
    return !this.#readable;
  }

  wantsWrite(): boolean {
    return this.#blocked;
  }

  ready(readable: boolean, writable: boolean): void {
    if (readable) {
      this.#readable = true;
      this.#listener?.receivable();
    }
    if (writable && this.#blocked) {
      this.#blocked = false;
      this.#listener?.sendable();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closeDescriptor();
    this.arena.giveBack();
  }

  protected get readable(): boolean {
    return this.#readable;
  }

  /** Everything that was there has been read: wait for more. */
  protected drained(): void {
    this.#readable = false;
  }

  /** The network takes no more: wait until it does. */
  protected block(): void {
    this.#blocked = true;
  }

  protected get blocked(): boolean {
    return this.#blocked;
  }

  /** Takes the link down for good. */
  protected fail(reason: string): void {
    if (this.#fd === CLOSED) return;
    this.#logger.error(`network ${this.#name}: link down: ${reason}`);
    // A frame that the device has at hand stays where it is: the arena is given back by the owner's close().
    this.#closeDescriptor();
    this.#listener?.linkChanged();
  }

  #closeDescriptor(): void {
    if (this.#fd === CLOSED) return;
    this.libc.close(this.#fd);
    this.#fd = CLOSED;
    this.forget();
  }

  /** What a failed call says: to wait, to try again, or that the link is down. @returns whether to try again at once */
  protected triesAgain(call: string, wait: () => void): boolean {
    const errno = this.libc.errno();
    if (errno === EINTR) return true;
    if (errno === EAGAIN) wait();
    else this.fail(`${call}: ${describeErrno(errno)}`);
    return false;
  }
}
