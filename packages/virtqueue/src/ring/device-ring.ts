/** DeviceRing: what both layouts of a virtqueue share on the device's side: where it is, and that it breaks but once. */
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { PackedRingSnapshot, SplitRingSnapshot } from '../snapshot/snapshot.ts';
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts';
import type { RingState } from './ring-state.ts';
import type { DescriptorChain, Virtqueue } from './virtqueue.ts';

export interface VirtqueueOptions {
  readonly index: number;
  /** From 1 to 32768; a power of two for a split virtqueue. */
  readonly size: number;
  readonly memory: GuestMemory;
  /** Address, a multiple of 16. */
  readonly descriptorArea: number;
  /** Address, a multiple of 2 for a split virtqueue, of 4 for a packed one. */
  readonly driverArea: number;
  /** Address, a multiple of 4. */
  readonly deviceArea: number;
  /** VIRTIO_F_INDIRECT_DESC was negotiated. */
  readonly indirect: boolean;
  /** VIRTIO_F_EVENT_IDX was negotiated. */
  readonly eventIdx: boolean;
  /** Called once, when the driver broke the ring. */
  readonly onBroken: (reason: string) => void;
}

export abstract class DeviceRing implements Virtqueue {
  readonly index: number;
  readonly size: number;
  readonly memory: GuestMemory;
  broken = false;
  #generation = -1;
  readonly #onBroken: (reason: string) => void;

  constructor({ index, size, memory, onBroken }: VirtqueueOptions) {
    this.index = index;
    this.size = size;
    this.memory = memory;
    this.#onBroken = onBroken;
  }

  abstract readonly isInPlace: boolean;

  abstract pop(chain: DescriptorChain): boolean;
  abstract pushUsed(head: number, length: number): void;
  abstract pushUsedTogether(heads: Uint16Array, lengths: Uint32Array, count: number): void;
  abstract shouldInterrupt(): boolean;
  abstract disableNotifications(): void;
  abstract enableNotifications(): boolean;

  /** Reads no memory, and changes nothing. */
  abstract state(): RingState;
  abstract snapshot(): SplitRingSnapshot | PackedRingSnapshot;
  /** To be called before the ring is used. @throws VirtioError `SNAPSHOT` */
  abstract restore(snapshot: SnapshotReader): void;

  /** Looks all parts of the ring up anew. @returns false when one is not in memory */
  protected abstract refresh(): boolean;

  /** To be asked before each operation: the ring is not broken, and its parts are where they were looked up. */
  protected isReady(): boolean {
    return !this.broken && (this.memory.generation === this.#generation || this.#lookUp());
  }

  #lookUp(): boolean {
    this.#generation = this.memory.generation;
    return this.refresh() || this.fail('a part of the ring is not in memory');
  }

  /** The driver takes the queue back: nothing is popped or pushed any more, whoever still holds it. */
  retire(): void {
    this.broken = true;
  }

  protected fail(reason: string): false {
    if (!this.broken) {
      this.broken = true;
      this.#onBroken(`queue ${this.index}: ${reason}`);
    }
    return false;
  }
}
