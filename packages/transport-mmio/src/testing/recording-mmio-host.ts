/** RecordingMmioHost: an MmioHost with a little memory, that remembers how its interrupt signal was driven. */
import { ArrayGuestMemory, type MappedMemory } from '@viommu/virtqueue';
import type { MmioHost } from '../mmio-device.ts';

const REGION_SIZE = 0x10000;

/** Its memory by default: 64 KiB at 0. */
export class RecordingMmioHost implements MmioHost {
  readonly memory: MappedMemory;
  readonly deassertWhenRead: boolean;
  /** The levels that the signal was driven to, in order. */
  readonly levels: boolean[] = [];

  constructor(options: { memory?: MappedMemory; deassertWhenRead?: boolean } = {}) {
    this.memory =
      options.memory ?? new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(REGION_SIZE) }]);
    this.deassertWhenRead = options.deassertWhenRead ?? false;
  }

  setInterrupt(asserted: boolean): void {
    this.levels.push(asserted);
  }
}
