/** QuietNetwork: a network that takes every frame, and has those that were put into it. */
import type { NetBackend, NetBackendListener, NetFrame } from '@viommu/devices';

const HEADER_ROOM = 12;
const LARGEST_FRAME = 1518;

export class QuietNetwork implements NetBackend {
  readonly largestFrame = LARGEST_FRAME;
  readonly linkUp = true;
  readonly canSend = true;
  /** Lengths of the frames that are to come, all zeroes. */
  readonly incoming: number[] = [];
  readonly #out = new Uint8Array(LARGEST_FRAME);
  readonly #in = new Uint8Array(HEADER_ROOM + LARGEST_FRAME);
  #listener: NetBackendListener | undefined;

  listen(listener: NetBackendListener): void {
    this.#listener = listener;
  }

  deliver(length: number): void {
    this.incoming.push(Math.min(length, LARGEST_FRAME));
    this.#listener?.receivable();
  }

  receive(frame: NetFrame): boolean {
    const length = this.incoming.shift();
    if (length === undefined) return false;
    frame.bytes = this.#in;
    frame.offset = HEADER_ROOM;
    frame.length = length;
    return true;
  }

  reserve(length: number, frame: NetFrame): void {
    frame.bytes = this.#out;
    frame.offset = 0;
    frame.length = length;
  }

  commit(): void {}
  flush(): void {}
}
