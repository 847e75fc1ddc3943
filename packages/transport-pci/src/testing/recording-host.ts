/** RecordingHost: a PciHost over a memory, that remembers the interrupts it was given. */
import type { GuestMemory } from '@viommu/virtqueue';
import type { PciHost } from '../pci-function.ts';

/** A message as it was sent: vector, address, data. */
export type SentMessage = readonly [vector: number, address: number, data: number];

/** Memory that has no byte: whatever a function wants there, it is refused. */
export const absentMemory: GuestMemory = {
  generation: 0,
  window: () => -1,
  read: () => false,
  write: () => false,
};

export class RecordingHost implements PciHost {
  readonly memory: GuestMemory;
  readonly ownsMsixTable: boolean;
  readonly messages: SentMessage[] = [];
  /** The levels that the line was driven to, in order. */
  readonly intxLevels: boolean[] = [];

  constructor(options: { memory?: GuestMemory; ownsMsixTable?: boolean } = {}) {
    this.memory = options.memory ?? absentMemory;
    this.ownsMsixTable = options.ownsMsixTable ?? false;
  }

  signalMsix(vector: number, address: number, data: number): void {
    this.messages.push([vector, address, data]);
  }

  setIntx(asserted: boolean): void {
    this.intxLevels.push(asserted);
  }
}
