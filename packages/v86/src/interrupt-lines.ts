/** InterruptLines: the INTx lines of v86's PCI bus, which devices share. */
import type { V86Cpu } from './v86-internals.ts';

// In Node.js and in browsers alike.
declare const queueMicrotask: (callback: () => void) => void;

/** Where the ISA bridge says which interrupt each line is. */
const PIRQ_ROUTES = 0x60;
const INTERRUPT_PIN = 0x3d;

/**
 * v86 lowers an interrupt as soon as one of its devices does. A line is up as long as anybody asserts it: so who does is kept, v86's own
 * devices among them.
 */
export class InterruptLines {
  readonly #cpu: V86Cpu;
  /** By interrupt. */
  readonly #asserters = new Map<number, Set<number>>();
  /** The interrupt that a device asserts: routes may change meanwhile. */
  readonly #asserted = new Map<number, number>();
  /** Who is to assert theirs at the next pause. */
  readonly #due = new Set<number>();

  /** @param pinOf of a function of ours, 1 to 4; undefined of others */
  constructor(cpu: V86Cpu, pinOf: (id: number) => number | undefined) {
    this.#cpu = cpu;
    const { pci } = cpu.devices;
    const ownPin = (id: number) => ((pci.device_spaces[id]?.[INTERRUPT_PIN >> 2] ?? 0) >> 8) & 0xff;
    const irqOf = (id: number) =>
      pci.isa_bridge_space8[PIRQ_ROUTES + (((pinOf(id) ?? ownPin(id)) - 1 + (id >> 3) - 1) & 3)]!;
    pci.raise_irq = (id) => this.#raise(id, irqOf(id));
    pci.lower_irq = (id) => this.lower(id);
  }

  /**
   * An interrupt is raised when v86 comes to a pause, some milliseconds later: of those raised within an access of the guest, as after a
   * kick that is carried out at once, some never arrived.
   *
   * @param id bus, device and function
   */
  set(id: number, asserted: boolean): void {
    if (!asserted) {
      this.#cpu.devices.pci.lower_irq(id);
      return;
    }
    if (this.#due.size === 0) queueMicrotask(() => this.#raiseDue());
    this.#due.add(id);
  }

  lower(id: number): void {
    this.#due.delete(id);
    const irq = this.#asserted.get(id);
    if (irq === undefined) return;
    this.#asserted.delete(id);
    const asserters = this.#asserters.get(irq)!;
    asserters.delete(id);
    if (asserters.size === 0) this.#cpu.device_lower_irq(irq);
  }

  #raiseDue(): void {
    for (const id of this.#due) this.#cpu.devices.pci.raise_irq(id);
    this.#due.clear();
  }

  #raise(id: number, irq: number): void {
    if (this.#asserted.get(id) !== irq) this.lower(id);
    this.#asserted.set(id, irq);
    const asserters = this.#asserters.get(irq) ?? new Set();
    this.#asserters.set(irq, asserters.add(id));
    this.#cpu.device_raise_irq(irq);
  }
}
