/** DmaEngineDriver: a driver in user space: it has the engine's registers and nothing of the kernel. */
import { PCI_COMMAND, PCI_COMMAND_MASTER, PCI_COMMAND_MEMORY } from '@viommu/transport-pci';
import { enableMsix, type MsixMessage, type PciDriverAccess } from '@viommu/transport-pci/driver';
import { VirtioError } from '@viommu/virtqueue';
import {
  DMA_ENGINE_BAR,
  DMA_ENGINE_BUSY,
  DMA_ENGINE_CONTROL,
  DMA_ENGINE_DESTINATION,
  DMA_ENGINE_DONE,
  DMA_ENGINE_ERROR_ACCESS,
  DMA_ENGINE_ERROR_ADDRESS,
  DMA_ENGINE_GO,
  DMA_ENGINE_ID,
  DMA_ENGINE_ID_VALUE,
  DMA_ENGINE_LENGTH,
  DMA_ENGINE_SOURCE,
  DMA_ENGINE_STATUS,
} from '../dma-engine/dma-engine-registers.ts';

export interface DmaEngineDriverOptions {
  /** The function's registers; what VFIO gives user space by regions. */
  readonly access: PciDriverAccess;
  /** The interrupt of the end of a copy. */
  readonly message: MsixMessage;
  /**
   * Called while a copy is under way: lets the engine work, or sleeps until its interrupt.
   *
   * @returns false to give up
   */
  readonly wait: () => boolean;
}

/** What became of a copy. */
export interface DmaResult {
  readonly done: boolean;
  /** Where the engine was refused; 0 when it was not. */
  readonly errorAddress: number;
  /** ACCESS_READ or ACCESS_WRITE when it was refused, else 0. */
  readonly errorAccess: number;
}

const TWO_TO_32 = 2 ** 32;

export class DmaEngineDriver {
  readonly #options: DmaEngineDriverOptions;

  /**
   * Allows the engine memory accesses, and turns its interrupt on.
   *
   * @throws VirtioError `NOT_A_DMA_ENGINE`, `MSIX_VECTORS`
   */
  constructor(options: DmaEngineDriverOptions) {
    const { access, message } = options;
    this.#options = options;
    const command = access.readConfig(PCI_COMMAND, 2);
    access.writeConfig(PCI_COMMAND, 2, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    if (this.#read(DMA_ENGINE_ID) !== DMA_ENGINE_ID_VALUE) {
      throw new VirtioError('NOT_A_DMA_ENGINE', 'BAR 0 does not begin with the letters VDMA');
    }
    enableMsix(access, [message]);
  }

  /**
   * Has the engine copy, and waits for its end.
   *
   * @param source address for the engine, in bytes
   * @param length bytes, below 2^32
   * @throws VirtioError `NO_ANSWER` when waiting was given up
   */
  copy(source: number, destination: number, length: number): DmaResult {
    this.#write64(DMA_ENGINE_SOURCE, source);
    this.#write64(DMA_ENGINE_DESTINATION, destination);
    this.#write(DMA_ENGINE_LENGTH, length);
    this.#write(DMA_ENGINE_CONTROL, DMA_ENGINE_GO);
    while (this.#read(DMA_ENGINE_STATUS) === DMA_ENGINE_BUSY) {
      if (!this.#options.wait()) {
        throw new VirtioError('NO_ANSWER', 'the engine does not come to an end');
      }
    }
    return {
      done: this.#read(DMA_ENGINE_STATUS) === DMA_ENGINE_DONE,
      errorAddress:
        this.#read(DMA_ENGINE_ERROR_ADDRESS) + this.#read(DMA_ENGINE_ERROR_ADDRESS + 4) * TWO_TO_32,
      errorAccess: this.#read(DMA_ENGINE_ERROR_ACCESS),
    };
  }

  #read(register: number): number {
    return this.#options.access.readBar(DMA_ENGINE_BAR, register, 4);
  }

  #write(register: number, value: number): void {
    this.#options.access.writeBar(DMA_ENGINE_BAR, register, 4, value);
  }

  #write64(register: number, value: number): void {
    this.#write(register, value % TWO_TO_32);
    this.#write(register + 4, Math.floor(value / TWO_TO_32));
  }
}
