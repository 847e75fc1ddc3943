/** ConfigAccess: the window from configuration space into the structures ("PCI configuration access capability"). */
import type { AccessWidth } from '@viommu/virtqueue';
import type { PciConfigSpace } from '../config-space.ts';
import type { PciFunction } from '../pci-function.ts';
import { STRUCTURES_BAR, STRUCTURES_BAR_SIZE } from './capabilities.ts';
import { CAP_BAR, CAP_LENGTH, CAP_OFFSET, CAP_PCI_CFG_DATA } from './virtio-pci-constants.ts';

const DATA_SIZE = 4;

export class ConfigAccess {
  readonly #config: PciConfigSpace;
  readonly #capability: number;
  readonly #registers: Pick<PciFunction, 'readBar' | 'writeBar'>;

  constructor(
    config: PciConfigSpace,
    capability: number,
    registers: Pick<PciFunction, 'readBar' | 'writeBar'>,
  ) {
    this.#config = config;
    this.#capability = capability;
    this.#registers = registers;
  }

  /** To be called before a read of configuration space: a read of pci_cfg_data reads the structure. */
  beforeRead(offset: number, width: AccessWidth): void {
    const length = this.#length(offset, width);
    if (length === undefined) return;
    const value = this.#registers.readBar(STRUCTURES_BAR, this.#offset, length);
    const data = this.#capability + CAP_PCI_CFG_DATA;
    if (length === 4) this.#config.view.setUint32(data, value, true);
    else if (length === 2) this.#config.view.setUint16(data, value, true);
    else this.#config.view.setUint8(data, value);
  }

  /** To be called after a write to configuration space: a write to pci_cfg_data writes the structure. */
  afterWrite(offset: number, width: AccessWidth): void {
    const length = this.#length(offset, width);
    if (length === undefined) return;
    const value = this.#config.read(this.#capability + CAP_PCI_CFG_DATA, length);
    this.#registers.writeBar(STRUCTURES_BAR, this.#offset, length, value);
  }

  get #offset(): number {
    return this.#config.view.getUint32(this.#capability + CAP_OFFSET, true);
  }

  /**
   * The length of the access that pci_cfg_data stands for. None when this access does not touch it, or when the driver
   * did not keep to: cap.length is 1, 2 or 4, cap.offset a multiple of it, both inside a structure's BAR.
   */
  #length(offset: number, width: AccessWidth): AccessWidth | undefined {
    const data = this.#capability + CAP_PCI_CFG_DATA;
    if (offset + width <= data || offset >= data + DATA_SIZE) return undefined;
    const length = this.#config.view.getUint32(this.#capability + CAP_LENGTH, true);
    if (length !== 1 && length !== 2 && length !== 4) return undefined;
    if (this.#config.view.getUint8(this.#capability + CAP_BAR) !== STRUCTURES_BAR) return undefined;
    const target = this.#offset;
    if (target % length !== 0 || target + length > STRUCTURES_BAR_SIZE) return undefined;
    return length;
  }
}
