/** JoinedDevice: a device that is passed through, and which parts of mappings its container has. */
import {
  TRANSLATION_FAILED,
  TRANSLATION_NO_DOMAIN,
  type TranslationResult,
} from '@viommu/iommu-core';
import type { VfioContainer } from '@viommu/vfio';
import type { PhysicalIommu } from '../host/physical-iommu.ts';
import { type MemorySlot, type MemorySlots, slotEnd } from './memory-slots.ts';

/** A device of the host that the guest has as an endpoint. */
export interface PassedThrough {
  /** Its ID on the host's bus, by which the physical IOMMU knows it. */
  readonly hostEndpoint: number;
  /** The container of its group, and of no other. The backend alone maps and unmaps in it. */
  readonly container: VfioContainer;
}

/** The access bits of VIRTIO_IOMMU_MAP_F_*. */
export const ACCESS = 3;

/** Answers are 0 or a negative errno. */
export class JoinedDevice {
  readonly endpoint: number;
  /** In which it is attached; undefined for none. */
  domain: number | undefined;
  readonly container: VfioContainer;
  readonly #hostEndpoint: number;
  readonly #slots: MemorySlots;

  /** @param endpoint its ID in the guest: an endpoint of the virtio-iommu */
  constructor(endpoint: number, device: PassedThrough, slots: MemorySlots) {
    this.endpoint = endpoint;
    this.container = device.container;
    this.#hostEndpoint = device.hostEndpoint;
    this.#slots = slots;
  }

  /** Every part of a mapping that has a slot goes to the container, or none does. */
  join(virtStart: number, virtEnd: number, physStart: number, flags: number): number {
    for (const slot of this.#slots.slots) {
      const answer = this.joinSlot(slot, virtStart, virtEnd, physStart, flags);
      if (answer < 0) {
        this.leave(virtStart, virtEnd);
        return answer;
      }
    }
    return 0;
  }

  /** The part of a mapping that lies in the slot, if there is one. */
  joinSlot(
    slot: MemorySlot,
    virtStart: number,
    virtEnd: number,
    physStart: number,
    flags: number,
  ): number {
    const start = Math.max(slot.guestStart, physStart);
    const end = Math.min(slotEnd(slot), physStart + (virtEnd - virtStart));
    const access = flags & (slot.access ?? ACCESS) & ACCESS;
    // A mapping without access is kept in stage 1 alone: VFIO has no word for it.
    if (start > end || access === 0) return 0;
    const userAddress = slot.userAddress + (start - slot.guestStart);
    const iova = virtStart + (start - physStart);
    return this.container.mapDma(userAddress, iova, end - start + 1, access);
  }

  /** Takes the part that lies in the slot out of the container. */
  leaveSlot(slot: MemorySlot, virtStart: number, virtEnd: number, physStart: number): void {
    const start = Math.max(slot.guestStart, physStart);
    const end = Math.min(slotEnd(slot), physStart + (virtEnd - virtStart));
    if (start <= end) this.container.unmapDma(virtStart + (start - physStart), end - start + 1);
  }

  /** Takes whole mappings out of the container. */
  leave(virtStart: number, virtEnd: number): void {
    this.container.unmapDma(virtStart, virtEnd - virtStart + 1);
  }

  leaveAll(): void {
    this.container.unmapAll();
  }

  /** What the physical IOMMU makes of an access. */
  translate(
    physical: PhysicalIommu,
    address: number,
    length: number,
    access: number,
    out: TranslationResult,
  ): number {
    const code = physical.translate(this.#hostEndpoint, address, length, access, out);
    // On the host the device has a container always; without one the set-up of the host is wrong, not the guest's.
    return code === TRANSLATION_NO_DOMAIN ? TRANSLATION_FAILED : code;
  }
}
