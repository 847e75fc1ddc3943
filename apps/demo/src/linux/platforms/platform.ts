/** The contract Platform: what the machine of an architecture is like, and how a guest on it learns the topology. Types and docs only. */

import type { MachineDescription, MsiWindow, WindowsDescription } from '@viommu/machine';
import type { MachineArguments } from '../../guest/machine-types/machine-type.ts';

/** What a machine has to know of the platform that it is for. */
export interface PlatformFacts {
  /** Where devices send message-signalled interrupts. */
  readonly msiWindows: readonly MsiWindow[];
  /** What a function with virtio-mmio windows has to be, that a guest turns it on and leaves it alone. */
  readonly windowsIdentity: Omit<WindowsDescription, 'bdf'>;
  /** Whether a guest finds an IOMMU whose registers are in a window. */
  readonly findsIommuInWindow: boolean;
}

export interface TopologyContext {
  readonly description: MachineDescription;
  /** Of temporary files. */
  readonly folder: string;
  /** Boots the guest as far as that each function with windows has an address, and says which; without any topology. */
  readonly observeWindows: () => Promise<readonly number[]>;
}

export interface Platform extends PlatformFacts {
  /** Writes down the topology for the guest; the server is listening. */
  tellTopology(
    context: TopologyContext,
  ): Promise<Pick<MachineArguments, 'viotFile' | 'deviceTreeFile' | 'more'>>;
}
