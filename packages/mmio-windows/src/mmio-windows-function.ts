/** MmioWindowsFunction: a PCI function whose BAR 0 is a row of windows of memory-mapped devices, with one INTx for all. */
import type { MmioDevice } from '@viommu/transport-mmio';
import {
  IntxLine,
  PCI_BASE_ADDRESS_0,
  PCI_COMMAND_MEMORY,
  type PciBar,
  PciConfigSpace,
  type PciFunction,
  type PciHost,
} from '@viommu/transport-pci';
import { type AccessWidth, VirtioError } from '@viommu/virtqueue';
import type { SnapshotReader } from '@viommu/virtqueue/snapshot';

/** From the start of one window to the start of the next, in bytes: a page, so that a guest can map each alone. */
export const MMIO_WINDOW_SIZE = 0x1000;

const WINDOWS_BAR = 0;
const INTERRUPT_PIN_A = 1;
const SNAPSHOT_VERSION = 1;
/** A device that fits no class. */
const UNASSIGNED_CLASS = 0xff0000;

export interface MmioWindowsFunctionOptions {
  /** What is behind the windows, in the order of their addresses. The function plugs them in and out. */
  readonly windows: readonly MmioDevice[];
  /**
   * No driver of the guest may claim the function. Under firmware that enables memory decoding, as that of x86 machines
   * does, any ID without a driver will do. A guest without firmware leaves decoding off, unless the function is 1af4:107f:
   * Linux' virtio-pci turns it on, finds no capability, and lets go.
   */
  readonly vendorId: number;
  readonly deviceId: number;
  /** 24 bits; by default none that a driver could go by. */
  readonly classCode?: number;
  /**
   * Bytes of BAR 0, a power of two; by default what the windows need. A kernel that assigns addresses by itself begins with
   * the largest alignment: with the largest BAR of all the address does not depend on other functions.
   */
  readonly barSize?: number;
  /**
   * Told the address that the guest's firmware or kernel gave BAR 0, whenever it has another one; 0 when it is taken back,
   * by a reset at the latest. The last one holds: a guest may write the register in parts.
   */
  readonly onBarAddress?: (address: number) => void;
}

/** The whole state of the function and of what is behind its windows. */
export interface MmioWindowsSnapshot {
  readonly version: 1;
  /** Configuration space, as text. */
  readonly config: string;
  /** Each as its window said it, in the order of their addresses. */
  readonly windows: readonly object[];
}

/**
 * Puts memory-mapped devices on a PCI bus, for a machine that has no other way to them.
 *
 * @throws VirtioError `MMIO_WINDOWS` when there is no window, one is longer than a page, or the BAR is too small for them;
 * `PCI_BAR` when `barSize` is no power of two
 */
export function createMmioWindowsFunction(options: MmioWindowsFunctionOptions): PciFunction {
  return new MmioWindowsFunction(options);
}

class MmioWindowsFunction implements PciFunction {
  readonly bars: readonly PciBar[];
  readonly msixVectors = 0;
  readonly interruptPin = INTERRUPT_PIN_A;
  readonly #options: MmioWindowsFunctionOptions;
  readonly #windows: readonly MmioDevice[];
  readonly #config: PciConfigSpace;
  readonly #intx: IntxLine;
  /** By window: 1 while its interrupt signal is asserted. */
  readonly #asserted: Uint8Array;
  #barAddress = 0;
  #host: PciHost | undefined;

  constructor(options: MmioWindowsFunctionOptions) {
    const { windows, vendorId, deviceId } = options;
    this.#options = options;
    this.#windows = windows;
    this.bars = [{ index: WINDOWS_BAR, size: barSizeOf(options) }];
    this.#config = new PciConfigSpace(
      {
        vendorId,
        deviceId,
        revisionId: 0,
        classCode: options.classCode ?? UNASSIGNED_CLASS,
        subsystemVendorId: vendorId,
        subsystemId: deviceId,
        interruptPin: INTERRUPT_PIN_A,
      },
      this.bars,
    );
    this.#intx = new IntxLine(this.#config);
    this.#asserted = new Uint8Array(windows.length);
  }

  readConfig(offset: number, width: AccessWidth): number {
    return this.#config.read(offset, width);
  }

  writeConfig(offset: number, width: AccessWidth, value: number): void {
    this.#config.write(offset, width, value);
    this.#followBar();
    this.#updateIntx();
  }

  readBar(bar: number, offset: number, width: AccessWidth): number {
    return this.#windowAt(bar, offset)?.read(offset % MMIO_WINDOW_SIZE, width) ?? 0;
  }

  writeBar(bar: number, offset: number, width: AccessWidth, value: number): void {
    this.#windowAt(bar, offset)?.write(offset % MMIO_WINDOW_SIZE, width, value);
  }

  /** @throws VirtioError `PCI_CONNECTED` when the function has a host already */
  connect(host: PciHost): void {
    if (this.#host !== undefined) {
      throw new VirtioError('PCI_CONNECTED', 'this PCI function has a host: disconnect it first');
    }
    this.#host = host;
    this.#intx.setHost(host);
    for (const [index, window] of this.#windows.entries()) {
      window.connect({
        memory: host.memory,
        // A VMM that emulates INTx by an edge for each register access would else have an interrupt too many each time.
        deassertWhenRead: true,
        setInterrupt: (asserted) => {
          this.#asserted[index] = asserted ? 1 : 0;
          this.#updateIntx();
        },
      });
    }
    this.#resetConfig();
  }

  disconnect(): void {
    for (const window of this.#windows) window.disconnect();
    this.#resetConfig();
    this.#host = undefined;
    this.#intx.setHost(undefined);
  }

  reset(): void {
    for (const window of this.#windows) window.reset();
    this.#resetConfig();
  }

  /** @throws VirtioError `SNAPSHOT_BUSY`, and `SNAPSHOT` when a window cannot say its state */
  snapshot(): MmioWindowsSnapshot {
    return {
      version: 1,
      config: this.#config.snapshot(),
      windows: this.#windows.map((window, index) => {
        if (window.snapshot !== undefined) return window.snapshot();
        throw new VirtioError('SNAPSHOT', `window ${index} cannot say its state`);
      }),
    };
  }

  prepareRestore(snapshot: SnapshotReader): () => void {
    snapshot.version(SNAPSHOT_VERSION);
    const restoreConfig = this.#config.prepareRestore(snapshot.field('config'));
    const reader = snapshot.field('windows');
    const windows = reader.items(this.#windows.length);
    if (windows.length !== this.#windows.length) reader.refuse('are not all windows');
    const restores = this.#windows.map((window, index) => {
      if (window.prepareRestore !== undefined) return window.prepareRestore(windows[index]!);
      return reader.refuse('have one that cannot be restored');
    });
    return () => {
      this.reset();
      restoreConfig();
      this.#followBar();
      for (const restore of restores) restore();
      this.#updateIntx();
    };
  }

  /**
   * Without memory decoding nothing is done, and kicks wait. Bus Master Enable does not count: the guest's drivers see
   * devices of the platform, and none of them knows of this function.
   */
  service(): boolean {
    if ((this.#config.command & PCI_COMMAND_MEMORY) === 0) return false;
    let workLeft = false;
    for (const window of this.#windows) workLeft = window.service() || workLeft;
    return workLeft;
  }

  #windowAt(bar: number, offset: number): MmioDevice | undefined {
    return bar === WINDOWS_BAR ? this.#windows[Math.floor(offset / MMIO_WINDOW_SIZE)] : undefined;
  }

  #resetConfig(): void {
    this.#config.reset();
    this.#followBar();
    this.#updateIntx();
  }

  #updateIntx(): void {
    this.#intx.update(this.#asserted.includes(1));
  }

  #followBar(): void {
    const address = this.#config.view.getUint32(PCI_BASE_ADDRESS_0, true);
    // All ones ask for the size.
    const asksForSize = address === 2 ** 32 - this.bars[WINDOWS_BAR]!.size;
    if (asksForSize || address === this.#barAddress) return;
    this.#barAddress = address;
    this.#options.onBarAddress?.(address);
  }
}

function barSizeOf({ windows, barSize }: MmioWindowsFunctionOptions): number {
  if (windows.length === 0 || windows.some(({ size }) => size > MMIO_WINDOW_SIZE)) {
    throw new VirtioError(
      'MMIO_WINDOWS',
      `give at least one window, and none of more than ${MMIO_WINDOW_SIZE} bytes`,
    );
  }
  const needed = windows.length * MMIO_WINDOW_SIZE;
  if (barSize !== undefined && barSize < needed) {
    throw new VirtioError('MMIO_WINDOWS', `a BAR of ${barSize} bytes: the windows need ${needed}`);
  }
  return barSize ?? 2 ** Math.ceil(Math.log2(needed));
}
