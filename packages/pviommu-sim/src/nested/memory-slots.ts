/** MemorySlots: stage 2: where the VMM put the guest's memory, as slots that can be added, removed and moved. */
import { VirtioError } from '@viommu/virtqueue';

/** A run of guest-physical addresses and what the VMM has there. */
export interface MemorySlot {
  /** First guest-physical address. */
  readonly guestStart: number;
  /** Bytes. */
  readonly length: number;
  /** Where the VMM has it in its own address space. Registers of a device are mapped there, too. */
  readonly userAddress: number;
  /** ACCESS_READ for a ROM; ACCESS_READ | ACCESS_WRITE by default. */
  readonly access?: number;
}

/** Told of each change, after it. */
export interface SlotListener {
  slotAdded(slot: MemorySlot): void;
  slotRemoved(slot: MemorySlot): void;
}

export class MemorySlots {
  /** Ascending by `guestStart`. */
  readonly #slots: MemorySlot[] = [];
  readonly #listeners = new Set<SlotListener>();

  /** Ascending by `guestStart`. */
  get slots(): readonly MemorySlot[] {
    return this.#slots;
  }

  /** Called by who joins the slots with something. */
  listen(listener: SlotListener): void {
    this.#listeners.add(listener);
  }

  /** @throws VirtioError `MEMORY_SLOT` when a slot is there already, or the numbers make none */
  add(slot: MemorySlot): void {
    const { guestStart, length } = slot;
    const isRange = length > 0 && guestStart >= 0 && Number.isSafeInteger(guestStart + length);
    const isTaken = this.#slots.some(
      (other) => other.guestStart < guestStart + length && slotEnd(other) >= guestStart,
    );
    if (!isRange || isTaken) {
      throw new VirtioError(
        'MEMORY_SLOT',
        `a slot of ${length} bytes at 0x${guestStart.toString(16)}: give each guest-physical address to one slot`,
      );
    }
    const next = this.#slots.findIndex((other) => other.guestStart > guestStart);
    this.#slots.splice(next < 0 ? this.#slots.length : next, 0, slot);
    for (const listener of this.#listeners) listener.slotAdded(slot);
  }

  /**
   * @param guestStart of the slot
   * @throws VirtioError `MEMORY_SLOT` when no slot begins there
   */
  remove(guestStart: number): MemorySlot {
    const index = this.#slots.findIndex((slot) => slot.guestStart === guestStart);
    const [slot] = index < 0 ? [] : this.#slots.splice(index, 1);
    if (slot === undefined) {
      throw new VirtioError(
        'MEMORY_SLOT',
        `no slot begins at 0x${guestStart.toString(16)}; name the address that was added`,
      );
    }
    for (const listener of this.#listeners) listener.slotRemoved(slot);
    return slot;
  }

  /**
   * Gives a slot another guest-physical address, as a guest does that moves a BAR.
   *
   * @throws VirtioError `MEMORY_SLOT`; then the slot is where it was
   */
  move(guestStart: number, newGuestStart: number): void {
    const slot = this.remove(guestStart);
    try {
      this.add({ ...slot, guestStart: newGuestStart });
    } catch (error) {
      this.add(slot);
      throw error;
    }
  }

  /** Whether a range has memory everywhere, all of it with that access. */
  covers(start: number, end: number, access: number): boolean {
    let next = start;
    for (const slot of this.#slots) {
      if (slot.guestStart > next || next > end) break;
      if (slotEnd(slot) < next) continue;
      if (((slot.access ?? access) & access) !== access) return false;
      next = slotEnd(slot) + 1;
    }
    return next > end;
  }
}

/** Last guest-physical address of a slot. */
export function slotEnd(slot: MemorySlot): number {
  return slot.guestStart + slot.length - 1;
}
