/** The contract ScenarioTeller: who is told what happens in a scenario, while it happens. Types and docs only. */
import type { IommuObserver } from '@viommu/iommu-core';
import type { Machine, MachineOptions } from '@viommu/machine';

/**
 * A step of the figure of a device that is passed through twice:
 * - `1a` a driver in guest user space maps its buffer with the guest's VFIO
 * - `1b` the guest's virtio-iommu driver relays it as MAP requests
 * - `1c` the virtio-iommu device relays it to the physical IOMMU, through the host's VFIO
 * - `2a` the driver in guest user space tells the device to access the buffer
 * - `2b` the physical IOMMU translates each access
 */
export type FigureStep = '1a' | '1b' | '1c' | '2a' | '2b';

/**
 * Called in line, in the order in which things happen. A teller may look at the machine, by what only reads, but from within
 * requests, too: what is under way there is not done yet.
 */
export interface ScenarioTeller {
  /** The machine is there, and nothing has happened. */
  begin?(machine: Machine): void;
  /** What follows belongs together. */
  chapter(title: string): void;
  /**
   * Somebody did or saw something.
   *
   * @param who at most seven letters
   * @param step of the figure, when that was one
   */
  tell(who: string, text: string, step?: FigureStep): void;
  /** Of the virtio-iommu. */
  readonly observer: IommuObserver;
  /** Of the virtio devices. */
  readonly observeQueues?: NonNullable<MachineOptions['observeQueues']>;
}
