/** PciChecks: what the interrupts of one PCI function may be, by what was written into its registers. */
import type { PciFunction } from '@viommu/transport-pci';
import { violated } from '../../engine/invariant.ts';

const COMMAND = 4;
const COMMAND_INTX_DISABLE = 0x400;
const STATUS = 6;
const STATUS_INTERRUPT = 8;
const CAPABILITIES = 0x34;
const MSIX_ID = 0x11;
const MSIX_ENABLE = 0x8000;
const MSIX_MASK_ALL = 0x4000;
const MSIX_BAR = 1;
const ENTRY_SIZE = 16;
const ENTRY_DATA = 8;
const ENTRY_CONTROL = 12;
const PENDING = 0x800;

export class PciChecks {
  readonly #target: PciFunction;
  readonly #name: string;
  /** Of the capability in configuration space, 0 without. */
  readonly #msix: number;
  readonly #identity: number;
  /** As the host saw it last. */
  #isAsserted = false;
  messages = 0;

  constructor(target: PciFunction, name: string) {
    this.#target = target;
    this.#name = name;
    let at = target.readConfig(CAPABILITIES, 1);
    while (at !== 0 && target.readConfig(at, 1) !== MSIX_ID) at = target.readConfig(at + 1, 1);
    this.#msix = at;
    this.#identity = target.readConfig(0, 4);
  }

  /** The function sends a message. */
  message(vector: number, address: number, data: number): void {
    this.messages += 1;
    const control = this.#control;
    const isAllowed = (control & MSIX_ENABLE) !== 0 && (control & MSIX_MASK_ALL) === 0;
    if (!isAllowed) violated(`${this.#name}: a message while MSI-X is off or masked`);
    if (vector >= this.#target.msixVectors) violated(`${this.#name}: vector ${vector}`);
    const entry = vector * ENTRY_SIZE;
    if ((this.#field(entry + ENTRY_CONTROL) & 1) !== 0) {
      violated(`${this.#name}: a message of vector ${vector}, which is masked`);
    }
    const low = this.#field(entry);
    const wanted = Math.min(this.#field(entry + 4) * 2 ** 32 + low, Number.MAX_SAFE_INTEGER);
    if (address !== wanted || data !== this.#field(entry + ENTRY_DATA)) {
      violated(`${this.#name}: another message than that of vector ${vector}`);
    }
  }

  level(isAsserted: boolean): void {
    if (isAsserted === this.#isAsserted) violated(`${this.#name}: INTx is told twice`);
    this.#isAsserted = isAsserted;
  }

  /** Between two accesses. */
  check(): void {
    const target = this.#target;
    if (target.readConfig(0, 4) !== this.#identity) violated(`${this.#name} is another function`);
    const isPending = (target.readConfig(STATUS, 2) & STATUS_INTERRUPT) !== 0;
    const isEnabled = (target.readConfig(COMMAND, 2) & COMMAND_INTX_DISABLE) === 0;
    if (this.#isAsserted !== (isPending && isEnabled)) {
      violated(`${this.#name}: INTx is ${this.#isAsserted}`);
    }
    if (this.#msix === 0) return;
    const control = this.#control;
    if ((control & MSIX_ENABLE) === 0) return;
    if (this.#isAsserted) violated(`${this.#name}: INTx is asserted with MSI-X`);
    if ((control & MSIX_MASK_ALL) !== 0) return;
    const pending = this.#field(PENDING);
    for (let vector = 0; vector < target.msixVectors; vector += 1) {
      const isMasked = (this.#field(vector * ENTRY_SIZE + ENTRY_CONTROL) & 1) !== 0;
      if ((pending & (1 << vector)) !== 0 && !isMasked) {
        violated(`${this.#name}: vector ${vector} waits for nothing`);
      }
    }
  }

  get #control(): number {
    return this.#target.readConfig(this.#msix + 2, 2);
  }

  #field(offset: number): number {
    return this.#target.readBar(MSIX_BAR, offset, 4);
  }
}
