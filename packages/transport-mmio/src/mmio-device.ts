/** The contract MmioDevice: a window of registers that any VMM, emulator or bridge can put into its memory map. Types and docs only. */
import type { AccessWidth, MappedMemory } from '@viommu/virtqueue';
import type { SnapshotReader } from '@viommu/virtqueue/snapshot';

/** The platform side of a window: what it may use while it is plugged in. Implemented by the host. */
export interface MmioHost {
  /** Memory as the device's DMA reaches it before any virtual IOMMU: guest-physical. */
  readonly memory: MappedMemory;
  /**
   * True when the interrupt signal is asserted only while there are events that the driver has not read from
   * InterruptStatus yet. For a host that delivers a signal anew as long as it finds it asserted after some register access,
   * as vfio-user's INTx does: a driver that has read the events is about to acknowledge them. False for a signal as the
   * standard has it, asserted until they are acknowledged.
   */
  readonly deassertWhenRead: boolean;
  /** Drives the interrupt signal, a level; called on changes only. */
  setInterrupt(asserted: boolean): void;
}

/**
 * A device in the memory map. Registers are read and written by the host as the guest does it, any width and offset inside
 * the window; what the device does not implement reads as 0 and ignores writes. A value that is written is
 * within its width. Nothing throws on guest input.
 *
 * Register writes never access guest memory. A write that asks for work (a kick) is noted, and the work is done in
 * {@link MmioDevice.service}: so a host that owes the guest an answer to the register access can give it first.
 */
export interface MmioDevice {
  /** Length of the window in bytes. */
  readonly size: number;

  read(offset: number, width: AccessWidth): number;
  write(offset: number, width: AccessWidth, value: number): void;

  /** Plugs the device in, reset before. A device has one host at a time. */
  connect(host: MmioHost): void;
  /** Unplugs it: the device is reset and keeps nothing of the host. */
  disconnect(): void;
  /** As after power-on. */
  reset(): void;

  /** The whole state, as plain data that JSON can hold. @throws VirtioError `SNAPSHOT_BUSY` while the device is at work */
  snapshot?(): object;
  /**
   * Checks a snapshot of a device with the same options, and changes nothing; see `restoreSnapshots`. Left out, with
   * `snapshot`, by a device that cannot say its state.
   *
   * @returns what resets the device and brings the snapshot back
   * @throws VirtioError `SNAPSHOT`
   */
  prepareRestore?(snapshot: SnapshotReader): () => void;

  /**
   * Does the work that earlier register writes asked for, in bounded portions.
   *
   * @returns true when work is left: call again after other devices had their turn
   */
  service(): boolean;
}
