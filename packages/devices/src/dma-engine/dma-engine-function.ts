/** DmaEngineFunction: a PCI function that copies memory, and nothing else: the hardware to pass through. Not virtio. */
import {
  Msix,
  type MsixSnapshot,
  msixBar,
  PCI_COMMAND_MASTER,
  type PciBar,
  PciConfigSpace,
  type PciFunction,
  type PciHost,
} from '@viommu/transport-pci';
import {
  type AccessWidth,
  type GuestMemory,
  type MappedMemory,
  readLe64,
  VirtioError,
  writeLe64,
} from '@viommu/virtqueue';
import { type SnapshotReader, toHex } from '@viommu/virtqueue/snapshot';
import { DmaCopy, type DmaCopySnapshot } from './dma-copy.ts';
import {
  DMA_ENGINE_BAR,
  DMA_ENGINE_BAR_SIZE,
  DMA_ENGINE_BUSY,
  DMA_ENGINE_CONTROL,
  DMA_ENGINE_DESTINATION,
  DMA_ENGINE_DEVICE_ID,
  DMA_ENGINE_DONE,
  DMA_ENGINE_ERROR,
  DMA_ENGINE_ERROR_ACCESS,
  DMA_ENGINE_ERROR_ADDRESS,
  DMA_ENGINE_GO,
  DMA_ENGINE_ID,
  DMA_ENGINE_ID_VALUE,
  DMA_ENGINE_LENGTH,
  DMA_ENGINE_MSIX_BAR,
  DMA_ENGINE_REGISTERS_SIZE,
  DMA_ENGINE_SOURCE,
  DMA_ENGINE_STATUS,
  DMA_ENGINE_VENDOR_ID,
} from './dma-engine-registers.ts';

export interface DmaEngineOptions {
  /**
   * The memory that the engine is to reach, made from the host's at each {@link PciFunction.connect}: the DMA view of its
   * endpoint when it is behind an IOMMU. The host's own memory by default.
   */
  readonly memory?: (host: MappedMemory) => GuestMemory;
  /** Told of the host's memory when the engine is plugged in and whenever it has changed; of none when it is unplugged. */
  readonly onMemory?: (host: MappedMemory | undefined) => void;
  /** Told when the driver starts a copy. */
  readonly onStart?: (source: number, destination: number, length: number) => void;
}

/** The whole state of the engine. */
export interface DmaEngineSnapshot {
  readonly version: 1;
  /** Configuration space, as text. */
  readonly config: string;
  readonly msix: MsixSnapshot;
  /** Those of BAR 0, as text. */
  readonly registers: string;
  /** null when none is under way. */
  readonly copy: DmaCopySnapshot | null;
}

const IDENTITY = {
  vendorId: DMA_ENGINE_VENDOR_ID,
  deviceId: DMA_ENGINE_DEVICE_ID,
  revisionId: 0,
  /** System peripheral, other. */
  classCode: 0x08_80_00,
  subsystemVendorId: DMA_ENGINE_VENDOR_ID,
  subsystemId: DMA_ENGINE_DEVICE_ID,
  interruptPin: 0,
};
const VECTOR = 0;
const SNAPSHOT_VERSION = 1;
const [FIRST_WRITABLE, LAST_WRITABLE] = [DMA_ENGINE_SOURCE, DMA_ENGINE_LENGTH + 3];

/** One MSI-X vector, which tells the end of each copy, good or bad. Without bus mastering a copy waits. */
export class DmaEngineFunction implements PciFunction {
  readonly bars: readonly PciBar[] = [
    { index: DMA_ENGINE_BAR, size: DMA_ENGINE_BAR_SIZE },
    msixBar(DMA_ENGINE_MSIX_BAR, 1),
  ];
  readonly msixVectors = 1;
  readonly interruptPin = 0;
  readonly #options: DmaEngineOptions;
  readonly #config = new PciConfigSpace(IDENTITY, this.bars);
  readonly #msix = new Msix(this.#config, DMA_ENGINE_MSIX_BAR, 1);
  readonly #registers = new DataView(new ArrayBuffer(DMA_ENGINE_REGISTERS_SIZE));
  readonly #copy = new DmaCopy();
  #host: PciHost | undefined;
  #memory: GuestMemory | undefined;

  constructor(options: DmaEngineOptions = {}) {
    this.#options = options;
    this.reset();
  }

  readConfig(offset: number, width: AccessWidth): number {
    return this.#config.read(offset, width);
  }

  writeConfig(offset: number, width: AccessWidth, value: number): void {
    this.#config.write(offset, width, value);
    this.#msix.controlChanged();
  }

  readBar(bar: number, offset: number, width: AccessWidth): number {
    if (bar === DMA_ENGINE_MSIX_BAR) return this.#msix.readBar(offset, width);
    let value = 0;
    for (let byte = 0; bar === DMA_ENGINE_BAR && byte < width; byte++) {
      const position = offset + byte;
      if (position >= DMA_ENGINE_REGISTERS_SIZE) break;
      value |= this.#registers.getUint8(position) << (8 * byte);
    }
    return value >>> 0;
  }

  /** While a copy is under way, registers keep what they have. */
  writeBar(bar: number, offset: number, width: AccessWidth, value: number): void {
    if (bar === DMA_ENGINE_MSIX_BAR) this.#msix.writeBar(offset, width, value);
    if (bar !== DMA_ENGINE_BAR || this.#isBusy) return;
    let control = 0;
    for (let byte = 0; byte < width; byte++) {
      const position = offset + byte;
      const written = (value >>> (8 * byte)) & 0xff;
      if (position >= FIRST_WRITABLE && position <= LAST_WRITABLE) {
        this.#registers.setUint8(position, written);
      } else if (position === DMA_ENGINE_CONTROL) control = written;
    }
    if ((control & DMA_ENGINE_GO) !== 0) this.#start();
  }

  /** @throws VirtioError `PCI_CONNECTED` when the function has a host already */
  connect(host: PciHost): void {
    if (this.#host !== undefined) {
      throw new VirtioError('PCI_CONNECTED', 'this PCI function has a host: disconnect it first');
    }
    this.reset();
    this.#host = host;
    this.#msix.setHost(host);
    this.#options.onMemory?.(host.memory);
    this.#memory = this.#options.memory?.(host.memory) ?? host.memory;
  }

  memoryChanged(): void {
    this.#options.onMemory?.(this.#host?.memory);
  }

  disconnect(): void {
    this.reset();
    this.#memory = undefined;
    this.#host = undefined;
    this.#msix.setHost(undefined);
    this.#options.onMemory?.(undefined);
  }

  reset(): void {
    this.#config.reset();
    this.#msix.reset();
    new Uint8Array(this.#registers.buffer).fill(0);
    this.#registers.setUint32(DMA_ENGINE_ID, DMA_ENGINE_ID_VALUE, true);
  }

  snapshot(): DmaEngineSnapshot {
    return {
      version: 1,
      config: this.#config.snapshot(),
      msix: this.#msix.snapshot(),
      registers: toHex(new Uint8Array(this.#registers.buffer)),
      copy: this.#isBusy ? this.#copy.snapshot() : null,
    };
  }

  prepareRestore(snapshot: SnapshotReader): () => void {
    snapshot.version(SNAPSHOT_VERSION);
    const restoreConfig = this.#config.prepareRestore(snapshot.field('config'));
    const restoreMsix = this.#msix.prepareRestore(snapshot.field('msix'));
    const registers = snapshot.field('registers').bytes(DMA_ENGINE_REGISTERS_SIZE);
    const copy = snapshot.field('copy');
    const isBusy =
      new DataView(registers.buffer).getUint32(DMA_ENGINE_STATUS, true) === DMA_ENGINE_BUSY;
    if (isBusy === copy.isNull) copy.refuse('does not go with the status register');
    const restoreCopy = copy.isNull ? undefined : this.#copy.prepareRestore(copy);
    return () => {
      this.reset();
      restoreConfig();
      restoreMsix();
      new Uint8Array(this.#registers.buffer).set(registers);
      restoreCopy?.();
    };
  }

  service(): boolean {
    const mayWork = (this.#config.command & PCI_COMMAND_MASTER) !== 0;
    if (!mayWork || !this.#isBusy || this.#memory === undefined) return false;
    if (!this.#copy.work(this.#memory)) return true;
    const { errorAccess, errorAddress } = this.#copy;
    writeLe64(this.#registers, DMA_ENGINE_ERROR_ADDRESS, errorAddress);
    this.#registers.setUint32(DMA_ENGINE_ERROR_ACCESS, errorAccess, true);
    const status = errorAccess === 0 ? DMA_ENGINE_DONE : DMA_ENGINE_ERROR;
    this.#registers.setUint32(DMA_ENGINE_STATUS, status, true);
    this.#msix.trigger(VECTOR);
    return false;
  }

  get #isBusy(): boolean {
    return this.#registers.getUint32(DMA_ENGINE_STATUS, true) === DMA_ENGINE_BUSY;
  }

  #start(): void {
    const source = readLe64(this.#registers, DMA_ENGINE_SOURCE);
    const destination = readLe64(this.#registers, DMA_ENGINE_DESTINATION);
    const length = this.#registers.getUint32(DMA_ENGINE_LENGTH, true);
    this.#registers.setUint32(DMA_ENGINE_STATUS, DMA_ENGINE_BUSY, true);
    this.#copy.start(source, destination, length);
    this.#options.onStart?.(source, destination, length);
  }
}
