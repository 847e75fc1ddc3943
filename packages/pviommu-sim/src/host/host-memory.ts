/** HostMemory: the host's physical memory, and which of it is where in the VMM's own address space. */

import type { PhysicalRun, UserMemory } from '@viommu/vfio';
import {
  type GuestMemory,
  type MemoryWindow,
  VirtioError,
  WINDOW_DENIED,
  WINDOW_INVISIBLE,
} from '@viommu/virtqueue';
import { type FrameOrder, scatteredOrder } from './frame-order.ts';
import { readRegisters, writeRegisters } from './register-access.ts';
import type { RegisterWindow } from './register-window.ts';

export interface HostMemoryOptions {
  /** Bytes that are physically contiguous, a power of two of at least 4096, which is the default. */
  readonly frameSize?: number;
}

/** Memory or registers that the VMM has mapped. */
interface HostMapping {
  readonly userAddress: number;
  /** Bytes. */
  readonly length: number;
  /** First of the host-physical addresses. */
  readonly physical: number;
  readonly order: FrameOrder;
  /** Registers have one frame, memory has many. */
  readonly frameSize: number;
  readonly memory: GuestMemory | undefined;
  /** Address in `memory` of the first byte. */
  readonly start: number;
  readonly registers: RegisterWindow | undefined;
}

const PAGE = 4096;
/** Where user addresses begin: any place that is neither guest-physical nor host-physical. */
const FIRST_USER_ADDRESS = 0x5600_0000_0000;
/** Where the host's frames begin. */
const FIRST_PHYSICAL = 0x10_0000_0000;

/**
 * Memory by host-physical address, for devices behind the physical IOMMU. The frames of a mapping are scattered, as on a host
 * that has run for a while: what is physically contiguous ends with the frame.
 */
export class HostMemory implements GuestMemory, UserMemory {
  readonly #frameSize: number;
  /** Ascending, by user address and by physical address alike; an unmapped one leaves its addresses unused. */
  readonly #mappings: HostMapping[] = [];
  #nextUserAddress = FIRST_USER_ADDRESS;
  #nextPhysical = FIRST_PHYSICAL;
  #changes = 0;

  /** @throws VirtioError `FRAME_SIZE` */
  constructor(options: HostMemoryOptions = {}) {
    const { frameSize = PAGE } = options;
    if (!(frameSize >= PAGE) || !Number.isInteger(Math.log2(frameSize))) {
      throw new VirtioError(
        'FRAME_SIZE',
        `frames of ${frameSize} bytes: choose a power of two, at least ${PAGE}`,
      );
    }
    this.#frameSize = frameSize;
  }

  get generation(): number {
    let generation = this.#changes;
    for (const { memory } of this.#mappings) generation += memory?.generation ?? 0;
    return generation;
  }

  get isShared(): boolean {
    return this.#mappings.some(({ memory }) => memory?.isShared ?? false);
  }

  /**
   * Gives memory a place in the VMM and frames of the host.
   *
   * @param start first address in `memory`
   * @param length bytes, whole pages of 4096
   * @returns the user address
   * @throws VirtioError `HOST_MAPPING`
   */
  mapMemory(memory: GuestMemory, start: number, length: number): number {
    return this.#add(length, this.#frameSize, { memory, start, registers: undefined });
  }

  /** The same for registers of a device, which a VMM maps to let others reach them; physically contiguous. */
  mapRegisters(registers: RegisterWindow, length: number): number {
    return this.#add(length, length, { memory: undefined, start: 0, registers });
  }

  /**
   * @param userAddress as {@link mapMemory} or {@link mapRegisters} answered it
   * @throws VirtioError `HOST_MAPPING` when nothing begins there
   */
  unmap(userAddress: number): void {
    const index = this.#mappings.findIndex((mapping) => mapping.userAddress === userAddress);
    const [mapping] = index < 0 ? [] : this.#mappings.splice(index, 1);
    if (mapping === undefined) {
      throw new VirtioError(
        'HOST_MAPPING',
        `nothing is mapped at user address 0x${userAddress.toString(16)}`,
      );
    }
    // The sum must never come back to an earlier value.
    this.#changes += (mapping.memory?.generation ?? 0) + 1;
  }

  pin(userAddress: number, length: number, _flags: number, out: PhysicalRun): boolean {
    const mapping = this.#mappings.findLast((candidate) => candidate.userAddress <= userAddress);
    const offset = userAddress - (mapping?.userAddress ?? 0);
    if (mapping === undefined || offset >= mapping.length) return false;
    out.physical = mapping.physical + toPhysical(mapping, offset);
    out.length = runLength(mapping, offset, length);
    return true;
  }

  window(address: number, length: number, access: number, out: MemoryWindow): number {
    const mapping = this.#find(address);
    if (mapping === undefined) return WINDOW_DENIED;
    if (mapping.memory === undefined) return WINDOW_INVISIBLE;
    const offset = toUser(mapping, address - mapping.physical);
    const run = runLength(mapping, offset, length);
    return mapping.memory.window(mapping.start + offset, run, access, out);
  }

  read(address: number, target: Uint8Array, targetOffset: number, length: number): boolean {
    for (let done = 0; done < length; ) {
      const mapping = this.#find(address + done);
      if (mapping === undefined) return false;
      const offset = toUser(mapping, address + done - mapping.physical);
      const run = runLength(mapping, offset, length - done);
      const { memory, registers, start } = mapping;
      if (registers !== undefined)
        readRegisters(registers, offset, target, targetOffset + done, run);
      else if (!memory!.read(start + offset, target, targetOffset + done, run)) return false;
      done += run;
    }
    return true;
  }

  write(address: number, source: Uint8Array, sourceOffset: number, length: number): boolean {
    for (let done = 0; done < length; ) {
      const mapping = this.#find(address + done);
      if (mapping === undefined) return false;
      const offset = toUser(mapping, address + done - mapping.physical);
      const run = runLength(mapping, offset, length - done);
      const { memory, registers, start } = mapping;
      if (registers !== undefined)
        writeRegisters(registers, offset, source, sourceOffset + done, run);
      else if (!memory!.write(start + offset, source, sourceOffset + done, run)) return false;
      done += run;
    }
    return true;
  }

  #find(physical: number): HostMapping | undefined {
    const mapping = this.#mappings.findLast((candidate) => candidate.physical <= physical);
    if (mapping === undefined) return undefined;
    const inFrames = physical - mapping.physical < mapping.order.frames * mapping.frameSize;
    // The last frame of a mapping need not be full.
    const isThere = inFrames && toUser(mapping, physical - mapping.physical) < mapping.length;
    return isThere ? mapping : undefined;
  }

  #add(
    length: number,
    frameSize: number,
    content: Pick<HostMapping, 'memory' | 'start' | 'registers'>,
  ): number {
    if (!(length > 0) || length % PAGE !== 0 || content.start % PAGE !== 0) {
      throw new VirtioError(
        'HOST_MAPPING',
        `${length} bytes from 0x${content.start.toString(16)}: map whole pages of ${PAGE} bytes`,
      );
    }
    const userAddress = this.#nextUserAddress;
    const physical = this.#nextPhysical;
    const frames = Math.ceil(length / frameSize);
    this.#mappings.push({
      userAddress,
      length,
      physical,
      order: scatteredOrder(frames),
      frameSize,
      ...content,
    });
    // A frame stays free in between, so that two mappings never are one run.
    this.#nextUserAddress += (frames + 1) * frameSize;
    this.#nextPhysical += (frames + 1) * frameSize;
    this.#changes += 1;
    return userAddress;
  }
}

/** From an offset as the VMM sees it to the offset in the mapping's frames. */
function toPhysical({ order, frameSize }: HostMapping, offset: number): number {
  return order.frameOf(Math.floor(offset / frameSize)) * frameSize + (offset % frameSize);
}

function toUser({ order, frameSize }: HostMapping, offset: number): number {
  return order.indexOf(Math.floor(offset / frameSize)) * frameSize + (offset % frameSize);
}

function runLength({ length, frameSize }: HostMapping, offset: number, wanted: number): number {
  return Math.min(wanted, frameSize - (offset % frameSize), length - offset);
}
