/** The contract PciFunction: a PCI function that any VMM, emulator or vfio-user server can put on its bus. Types and docs only. */
import type { AccessWidth, MappedMemory } from '@viommu/virtqueue';
import type { SnapshotReader } from '@viommu/virtqueue/snapshot';

/** One 32-bit memory BAR. */
export interface PciBar {
  /** 0 to 5. */
  readonly index: number;
  /** Bytes: a power of two, at least 16. */
  readonly size: number;
}

/** The bus side of a function: what it may use while it is plugged in. Implemented by the host. */
export interface PciHost {
  /** Memory as the function's DMA reaches it before any virtual IOMMU: guest-physical. */
  readonly memory: MappedMemory;
  /**
   * True when the host keeps the MSI-X table itself, as QEMU does for vfio-user: table writes never arrive here, masks
   * are the host's, and each trigger goes straight to {@link PciHost.signalMsix} while MSI-X is enabled.
   */
  readonly ownsMsixTable: boolean;
  /** Sends the message of a vector. `address` and `data` are those of the table's entry, 0 when the host owns the table. */
  signalMsix(vector: number, address: number, data: number): void;
  /** Drives the INTx line; called on changes only. */
  setIntx(asserted: boolean): void;
}

/**
 * A PCI function. Registers are read and written by the host as the guest does it, any width and offset inside the BAR;
 * what the function does not implement reads as 0 and ignores writes. A value that is written is within its width. Nothing
 * throws on guest input.
 *
 * Register writes never access guest memory. A write that asks for work (a kick) is noted, and the work is done in
 * {@link PciFunction.service}: so a host that owes the guest an answer to the register access can give it first.
 */
export interface PciFunction {
  readonly bars: readonly PciBar[];
  /** Number of MSI-X vectors, 0 for none. */
  readonly msixVectors: number;
  /** 0 for none, 1 to 4 for INTA to INTD. */
  readonly interruptPin: number;

  /** Configuration space, 256 bytes. BAR registers answer sizing, their addresses are kept and otherwise unused. */
  readConfig(offset: number, width: AccessWidth): number;
  writeConfig(offset: number, width: AccessWidth, value: number): void;
  readBar(bar: number, offset: number, width: AccessWidth): number;
  writeBar(bar: number, offset: number, width: AccessWidth, value: number): void;

  /** Plugs the function in, reset before. A function has one host at a time. */
  connect(host: PciHost): void;
  /** The host's memory has gained or lost regions. For a function that hands them on, as a pass-through does. */
  memoryChanged?(): void;
  /** Unplugs it: the function is reset and keeps nothing of the host. */
  disconnect(): void;
  /** Function-level reset: as after power-on. */
  reset(): void;

  /** The whole state, as plain data that JSON can hold. @throws VirtioError `SNAPSHOT_BUSY` while the function is at work */
  snapshot?(): object;
  /**
   * Checks a snapshot of a function with the same options, and changes nothing; see `restoreSnapshots`. Left out, with
   * `snapshot`, by a function that cannot say its state.
   *
   * @returns what resets the function and brings the snapshot back
   * @throws VirtioError `SNAPSHOT`
   */
  prepareRestore?(snapshot: SnapshotReader): () => void;

  /**
   * Does the work that earlier register writes asked for, in bounded portions.
   *
   * @returns true when work is left: call again after other functions had their turn
   */
  service(): boolean;
}
