/** WindowsWatch: where the guest has the virtio-mmio windows, as the server hears of it. */
import type { ServerMessage } from '../server/server-messages.ts';

export class WindowsWatch {
  /** By function; 0 while it has none. */
  readonly addresses: number[];
  #onPlaced: (() => void) | undefined;

  /** @param count of functions with windows */
  constructor(count: number) {
    this.addresses = new Array<number>(count).fill(0);
  }

  see(message: ServerMessage): void {
    if (message.type !== 'windowsAddress') return;
    this.addresses[message.windows] = message.address;
    if (this.isPlaced) this.#onPlaced?.();
  }

  get isPlaced(): boolean {
    return this.addresses.every((address) => address !== 0);
  }

  /** Calls back when next every function has an address. */
  whenPlaced(onPlaced: () => void): void {
    this.#onPlaced = onPlaced;
  }
}
