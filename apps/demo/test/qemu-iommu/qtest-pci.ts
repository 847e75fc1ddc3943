/** PCI functions of a q35 machine over qtest: what firmware does to place them, and how their drivers reach them. */
import type { PciDriverAccess } from '@viommu/transport-pci/driver';
import type { Qtest } from './qtest.ts';

/** "CONFIG_ADDRESS" and "CONFIG_DATA" of the PCI bus. */
const [CONFIG_ADDRESS, CONFIG_DATA] = [0xcf8, 0xcfc];
const ENABLE = 0x8000_0000;
const PCI_COMMAND = 4;
const MEMORY_AND_MASTER = 6;
const BAR0 = 0x10;
/** A BAR's memory lies here: below the interrupt controllers, in what a q35 leaves to PCI. */
const HOLE = 0xe000_0000;
const BAR_ROOM = 0x10_0000;
const BARS = 6;
const IS_64_BIT = 4;

export class QtestPci implements PciDriverAccess {
  readonly #qtest: Qtest;
  readonly #bdf: number;
  /** By BAR, where it is. */
  readonly #bars: number[] = [];

  /** Gives each BAR of memory a place, and lets the function be accessed and do DMA. @param bdf on bus 0 */
  constructor(qtest: Qtest, bdf: number) {
    this.#qtest = qtest;
    this.#bdf = bdf;
    for (let bar = 0; bar < BARS; bar += 1) {
      const register = BAR0 + 4 * bar;
      this.writeConfig(register, 4, 0xffff_ffff);
      const type = this.readConfig(register, 4);
      if (type === 0 || (type & 1) !== 0) continue;
      const address = HOLE + (bdf * BARS + bar) * BAR_ROOM;
      this.writeConfig(register, 4, address);
      this.#bars[bar] = address;
      if ((type & IS_64_BIT) === 0) continue;
      this.writeConfig(register + 4, 4, 0);
      bar += 1;
    }
    this.writeConfig(PCI_COMMAND, 2, MEMORY_AND_MASTER);
  }

  readConfig(offset: number, width: 1 | 2 | 4): number {
    this.#select(offset);
    return this.#qtest.readPort(CONFIG_DATA + (offset & 3), width);
  }

  writeConfig(offset: number, width: 1 | 2 | 4, value: number): void {
    this.#select(offset);
    this.#qtest.writePort(CONFIG_DATA + (offset & 3), width, value);
  }

  readBar(bar: number, offset: number, width: 1 | 2 | 4): number {
    return this.#qtest.readRegister(this.#bars[bar]! + offset, width);
  }

  writeBar(bar: number, offset: number, width: 1 | 2 | 4, value: number): void {
    this.#qtest.writeRegister(this.#bars[bar]! + offset, width, value);
  }

  #select(offset: number): void {
    const address = ENABLE + this.#bdf * 0x100 + (offset & 0xfc);
    this.#qtest.writePort(CONFIG_ADDRESS, 4, address);
  }
}
