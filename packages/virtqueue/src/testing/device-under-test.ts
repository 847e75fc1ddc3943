/** The contract DeviceUnderTest: a virtio device as it looks from outside, for the black-box suites. Types and docs only. */
import type { DriverTransport } from '../driver/driver-transport.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';

/**
 * Registers in, memory in, interrupts out: whatever has these can be tested, a device of this repository or one of any VMM
 * in any language. Calls are synchronous. An adapter gives a device as it is after power-on, one for each case.
 */
export interface DeviceUnderTest {
  /**
   * Its registers. `@viommu/transport-pci/driver` and `@viommu/transport-mmio/driver` make this out of functions that read and
   * write a register.
   */
  readonly transport: DriverTransport;
  /** Guest memory, at the addresses that the device uses. An adapter that has no array to show answers WINDOW_INVISIBLE. */
  readonly memory: GuestMemory;
  /** Where in it the suite may put anything: it begins at a multiple of 64 KiB, and has 1 MiB or more; both in bytes. */
  readonly place: { readonly start: number; readonly length: number };
  /** An address at which there is no memory, with none for 1 MiB behind it; 2^44 by default. */
  readonly absentAddress?: number;

  /** Lets the device work until it is idle. One that works by itself: waits until it has done so, with a limit of time. */
  run(): void;

  /**
   * Whether the driver was interrupted since the last such call. Left out by an adapter that does not see interrupts: cases
   * about these are then skipped.
   *
   * @param source the index of a queue, or `config` for a change of the configuration. Where the bus has one interrupt for all
   * queues, any of them counts for each
   */
  takeInterrupt?(source: number | 'config'): boolean;

  /** Writes an index to where kicks go, of a queue that need not exist. Left out where the bus has no such place. */
  notifyAnyQueue?(index: number): void;

  /** Moves the device by a snapshot: from now on all of this is another device, which was restored. Where there is such. */
  move?(): void;

  /** The case is over. */
  close?(): void;
}
