/** TestQueue: a Virtqueue without a ring. */
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { DescriptorChain, Virtqueue } from '../ring/virtqueue.ts';

export interface Segment {
  readonly address: number;
  readonly length: number;
}

export interface TestBuffer {
  readonly readable: readonly Segment[];
  readonly writable: readonly Segment[];
}

/** A queue that hands out buffers of a test, each with its position as head. */
export class TestQueue implements Virtqueue {
  readonly isInPlace = true;
  readonly index: number;
  readonly size = 16;
  readonly memory: GuestMemory;
  readonly broken = false;
  readonly used = new Map<number, number>();
  popped = 0;
  readonly #next: (position: number) => TestBuffer | undefined;

  constructor(
    index: number,
    memory: GuestMemory,
    next: (position: number) => TestBuffer | undefined,
  ) {
    this.index = index;
    this.memory = memory;
    this.#next = next;
  }

  pop(chain: DescriptorChain): boolean {
    const buffer = this.#next(this.popped);
    if (buffer === undefined) return false;
    const sum = (segments: readonly Segment[]) =>
      segments.reduce((all, { length }) => all + length, 0);
    [...buffer.readable, ...buffer.writable].forEach(({ address, length }, index) => {
      chain.addresses[index] = address;
      chain.lengths[index] = length;
    });
    chain.head = this.popped;
    chain.count = buffer.readable.length + buffer.writable.length;
    chain.readableCount = buffer.readable.length;
    chain.readableLength = sum(buffer.readable);
    chain.writableLength = sum(buffer.writable);
    this.popped += 1;
    return true;
  }

  pushUsed(head: number, length: number): void {
    if (this.used.has(head)) throw new Error(`buffer ${head} was used twice`);
    this.used.set(head, length);
  }

  pushUsedTogether(heads: Uint16Array, lengths: Uint32Array, count: number): void {
    for (let index = 0; index < count; index += 1) this.pushUsed(heads[index]!, lengths[index]!);
  }

  shouldInterrupt(): boolean {
    return true;
  }

  disableNotifications(): void {}

  enableNotifications(): boolean {
    return this.#next(this.popped) !== undefined;
  }
}
