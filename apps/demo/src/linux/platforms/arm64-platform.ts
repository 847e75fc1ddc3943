/** QEMU's virt: the kernel places the functions and reads a device tree, which is QEMU's own with our nodes added. */

import { machineTopology } from '@viommu/machine';
import type { GuestParts } from '../../guest/guest-parts.ts';
import { dumpMachineTree, extendMachineTree } from '../../guest/machine-tree/make-machine-tree.ts';
import type { MachineTree } from '../../guest/machine-tree/read-machine-tree.ts';
import type { Platform, TopologyContext } from './platform.ts';

/** More than any other BAR of the machine has: the kernel places the largest first, from the start of the window on. */
const WINDOWS_BAR_SIZE = 1 << 20;

export async function arm64Platform(parts: GuestParts, folder: string): Promise<Platform> {
  const tree = await dumpMachineTree({ qemu: parts.qemu, folder });
  return {
    msiWindows: tree.msiDoorbells,
    // A virtio function without capabilities: Linux' virtio-pci turns memory decoding on before it finds that, and leaves it on.
    windowsIdentity: { vendorId: 0x1af4, deviceId: 0x107f, barSize: WINDOWS_BAR_SIZE },
    findsIommuInWindow: true,
    tellTopology: (context) => tellTopology(parts, tree, context),
  };
}

async function tellTopology(
  { dtc }: GuestParts,
  tree: MachineTree,
  { description, folder }: TopologyContext,
) {
  const windows = description.windows ?? [];
  const addresses = windows.map((_, index) => tree.memoryWindow.start + index * WINDOWS_BAR_SIZE);
  const deviceTreeFile = await extendMachineTree({
    dtc: dtc!,
    folder,
    tree,
    topology: machineTopology(description, addresses),
    windows: windows.map(({ bdf, barSize = WINDOWS_BAR_SIZE }, index) => ({
      bdf,
      start: addresses[index]!,
      end: addresses[index]! + barSize - 1,
    })),
  });
  return { deviceTreeFile };
}
