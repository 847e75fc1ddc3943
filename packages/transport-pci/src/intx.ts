/** IntxLine: the level-triggered interrupt pin of a function, and what configuration space says about it. */
import type { PciConfigSpace } from './config-space.ts';
import { PCI_COMMAND_INTX_DISABLE } from './pci-constants.ts';
import type { PciHost } from './pci-function.ts';

export class IntxLine {
  readonly #config: PciConfigSpace;
  #host: PciHost | undefined;
  #asserted = false;

  constructor(config: PciConfigSpace) {
    this.#config = config;
  }

  /** Who sees the line; a new host finds it deasserted. */
  setHost(host: PciHost | undefined): void {
    this.#host = host;
    this.#asserted = false;
  }

  /**
   * To be called whenever `pending` or the command register may have changed: sets Interrupt Status, and drives the line
   * unless the guest disabled it.
   */
  update(pending: boolean): void {
    this.#config.setInterruptStatus(pending);
    const asserted = pending && (this.#config.command & PCI_COMMAND_INTX_DISABLE) === 0;
    if (asserted === this.#asserted) return;
    this.#asserted = asserted;
    this.#host?.setIntx(asserted);
  }
}
