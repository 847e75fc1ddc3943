/** DrivenQueue: a queue that hands out what an input put in, and checks how the device goes about it. */
import type { DescriptorChain, GuestMemory, Virtqueue } from '@viommu/virtqueue';
import { violated } from '../../engine/invariant.ts';
import type { RequestBuffer } from '../../models/request-model.ts';

export interface UsedBuffer {
  readonly buffer: RequestBuffer;
  readonly length: number;
}

export class DrivenQueue implements Virtqueue {
  readonly index: number;
  readonly size: number;
  readonly memory: GuestMemory;
  readonly broken = false;
  readonly isInPlace = true;
  /** What is not popped yet. */
  available: RequestBuffer[] = [];
  /** What came back and was not looked at yet. */
  used: UsedBuffer[] = [];
  /** What the device has. */
  held = new Map<number, RequestBuffer>();
  /** Has not asked since it pushed last. */
  isSilent = true;
  #heads = 0;

  constructor(index: number, size: number, memory: GuestMemory) {
    this.index = index;
    this.size = size;
    this.memory = memory;
  }

  pop(chain: DescriptorChain): boolean {
    const buffer = this.available.shift();
    if (buffer === undefined) return false;
    const { readable, writable } = buffer;
    let index = 0;
    for (const { address, length } of [...readable, ...writable]) {
      chain.addresses[index] = address;
      chain.lengths[index] = length;
      index += 1;
    }
    chain.head = this.#heads;
    chain.count = index;
    chain.readableCount = readable.length;
    chain.readableLength = readable.reduce((sum, { length }) => sum + length, 0);
    chain.writableLength = writable.reduce((sum, { length }) => sum + length, 0);
    this.held.set(this.#heads, buffer);
    this.#heads = (this.#heads + 1) % this.size;
    return true;
  }

  pushUsed(head: number, length: number): void {
    const buffer = this.held.get(head);
    if (buffer === undefined) violated(`buffer ${head} is pushed, and was not popped`);
    this.held.delete(head);
    this.used.push({ buffer, length });
    this.isSilent = false;
  }

  pushUsedTogether(heads: Uint16Array, lengths: Uint32Array, count: number): void {
    for (let index = 0; index < count; index += 1) this.pushUsed(heads[index]!, lengths[index]!);
  }

  shouldInterrupt(): boolean {
    const isAsked = !this.isSilent;
    this.isSilent = true;
    return isAsked;
  }

  disableNotifications(): void {}

  enableNotifications(): boolean {
    return this.available.length > 0;
  }

  /** The driver takes everything back. */
  reset(): void {
    this.available = [];
    this.used = [];
    this.held.clear();
    this.isSilent = true;
  }
}
