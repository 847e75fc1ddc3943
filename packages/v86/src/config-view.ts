/** ConfigView: a function's configuration space as a guest of v86 is to see it. */
import type { PciFunction } from '@viommu/transport-pci';
import type { AccessWidth } from '@viommu/virtqueue';

const COMMAND = 0x04;
const COMMAND_MEMORY = 2;
const STATUS_CAPABILITIES = 0x10;
const HEADER_TYPE = 0x0e;
const MULTIFUNCTION = 0x80;
const FIRST_BAR = 0x10;
const CAPABILITIES = 0x34;
const CAP_ID_MSIX = 0x11;
/** There is no room for more, so a list that loops ends. */
const MOST_CAPABILITIES = 48;

export class ConfigView {
  readonly pci: PciFunction;
  /** Whether other functions are in its slot. */
  isMultifunction = false;
  /** Where the pointer to the MSI-X capability is, and what stands there instead: v86 has no way to deliver messages. */
  readonly #pointer: number;
  readonly #next: number;

  constructor(pci: PciFunction) {
    this.pci = pci;
    [this.#pointer, this.#next] = findMsix(pci);
  }

  read(offset: number, width: AccessWidth): number {
    let value = 0;
    // By bytes: what differs is a byte.
    for (let at = width - 1; at >= 0; at -= 1) value = value * 256 + this.#byte(offset + at);
    return value;
  }

  /** Where the guest has put a BAR; undefined when it decodes no memory. */
  addressOf(bar: number): number | undefined {
    if ((this.pci.readConfig(COMMAND, 2) & COMMAND_MEMORY) === 0) return undefined;
    return (this.pci.readConfig(FIRST_BAR + 4 * bar, 4) & ~15) >>> 0;
  }

  #byte(offset: number): number {
    if (offset === this.#pointer) return this.#next;
    const byte = this.pci.readConfig(offset, 1);
    return offset === HEADER_TYPE && this.isMultifunction ? byte | MULTIFUNCTION : byte;
  }
}

function findMsix(pci: PciFunction): readonly [number, number] {
  if ((pci.readConfig(COMMAND + 2, 2) & STATUS_CAPABILITIES) === 0) return [-1, 0];
  let pointer = CAPABILITIES;
  for (let count = 0; count < MOST_CAPABILITIES; count += 1) {
    const at = pci.readConfig(pointer, 1);
    if (at === 0) break;
    if (pci.readConfig(at, 1) === CAP_ID_MSIX) return [pointer, pci.readConfig(at + 1, 1)];
    pointer = at + 1;
  }
  return [-1, 0];
}
