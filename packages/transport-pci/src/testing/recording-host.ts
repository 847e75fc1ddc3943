/** RecordingHost: a PciHost with a little memory, that remembers the interrupts it was given. */
import { ArrayGuestMemory, type MappedMemory } from '@viommu/virtqueue';
import type { PciHost } from '../pci-function.ts';

/** A message as it was sent: vector, address, data. */
export type SentMessage = readonly [vector: number, address: number, data: number];

const REGION_SIZE = 0x10000;
const FOUR_GIB = 2 ** 32;

/** Its memory by default: 64 KiB at 0, and 64 KiB at 4 GiB. */
export class RecordingHost implements PciHost {
  readonly memory: MappedMemory;
  readonly ownsMsixTable: boolean;
  readonly messages: SentMessage[] = [];
  /** The levels that the line was driven to, in order. */
  readonly intxLevels: boolean[] = [];

  constructor(options: { memory?: MappedMemory; ownsMsixTable?: boolean } = {}) {
    this.memory = options.memory ?? createMemory();
    this.ownsMsixTable = options.ownsMsixTable ?? false;
  }

  signalMsix(vector: number, address: number, data: number): void {
    this.messages.push([vector, address, data]);
  }

  setIntx(asserted: boolean): void {
    this.intxLevels.push(asserted);
  }
}

function createMemory(): MappedMemory {
  return new ArrayGuestMemory([
    { base: 0, buffer: new ArrayBuffer(REGION_SIZE) },
    { base: FOUR_GIB, buffer: new ArrayBuffer(REGION_SIZE) },
  ]);
}
