/** GuestMachine: the devices of the guest in the page, and what somebody who plays with them does to them. */
import { MemoryDisk } from '@viommu/devices';
import {
  answerWalk,
  type InspectorUpdate,
  MachineWatch,
  type WalkAnswer,
  type WalkQuery,
} from '@viommu/inspector';
import {
  createMachine,
  type Machine,
  type MachineFunction,
  type MachineParts,
  machineTopology,
  standardMachine,
} from '@viommu/machine';
import { writeViot } from '@viommu/viot';
import { ArrayGuestMemory } from '@viommu/virtqueue';
import { DmaHold } from './dma-hold.ts';

const DISK_BYTES = 8 << 20;
/** Nothing is ever mapped there: Linux gives out addresses from the end of 4 GiB downwards. */
const STRAY_ADDRESS = 0xbad0000;
const STRAY_LENGTH = 4;
/** The access is refused before it gets to any memory. */
const NO_MEMORY = new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(4096) }]);
/** Bytes that getRandomValues gives at once. */
const RANDOM_MAX = 65536;

const PARTS: MachineParts = {
  openDisk: () => Object.assign(new MemoryDisk(new Uint8Array(DISK_BYTES)), { close() {} }),
  openNetwork() {
    throw new Error('the machine of the page has no network');
  },
  fillRandom(bytes) {
    for (let start = 0; start < bytes.length; start += RANDOM_MAX) {
      crypto.getRandomValues(bytes.subarray(start, start + RANDOM_MAX));
    }
  },
};

export class GuestMachine {
  readonly functions: readonly MachineFunction[];
  /** The ACPI table that says which endpoint is behind which IOMMU. */
  readonly viot: Uint8Array;
  readonly hold = new DmaHold();
  /** What every update has; asked for by the page. */
  query: WalkQuery | undefined;
  readonly #machine: Machine;
  readonly #watch: MachineWatch;
  readonly #began = performance.now();
  readonly #maxMappings: readonly number[];
  #isTold = false;

  constructor() {
    const description = standardMachine({ disks: ['the disk of the page'], bootBypass: true });
    this.#watch = new MachineWatch(description, { microseconds: () => this.#microseconds() });
    this.#machine = createMachine(description, {
      parts: PARTS,
      observe: this.#watch.observe,
      observeQueues: this.#watch.observeQueues,
      gateQueues: (name) => (name.startsWith('iommu') ? undefined : this.hold.gate()),
    });
    this.#watch.begin(this.#machine);
    this.functions = this.#machine.functions;
    this.#maxMappings = this.#machine.iommus.map(({ device }) => device.maxMappings);
    this.viot = writeViot(machineTopology(description, []));
  }

  /** The changes since the last call; all there is the first time. */
  takeUpdate(): InspectorUpdate {
    const isFirst = !this.#isTold;
    this.#isTold = true;
    return isFirst ? this.#watch.takeAll() : this.#watch.take();
  }

  answer(): WalkAnswer | undefined {
    return this.query && answerWalk(this.#machine, this.query);
  }

  /** An endpoint reads where it was given nothing, by itself. */
  stray(iommu: number, endpoint: number): void {
    const { device } = this.#machine.iommus[iommu]!;
    const bytes = new Uint8Array(STRAY_LENGTH);
    device.endpointMemory(endpoint, NO_MEMORY).read(STRAY_ADDRESS, bytes, 0, STRAY_LENGTH);
  }

  /** @param mappings that may come to those that are there; undefined for as many as ever */
  limit(mappings: number | undefined): void {
    for (const [index, { device }] of this.#machine.iommus.entries()) {
      device.maxMappings =
        mappings === undefined ? this.#maxMappings[index]! : device.mappingCount + mappings;
    }
  }

  #microseconds(): number {
    return Math.round((performance.now() - this.#began) * 1000);
  }
}
