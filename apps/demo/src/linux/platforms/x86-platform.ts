/** QEMU's q35: firmware places the functions, and the kernel reads a VIOT; an SSDT announces what is in windows. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bdf } from '@viommu/machine';
import { machineTopology, X86_MSI_WINDOWS } from '@viommu/machine';
import { writeViot } from '@viommu/viot';
import { doubleCommas } from '../../guest/qemu-text.ts';
import type { Platform, TopologyContext } from './platform.ts';
import { writeWindowsTable } from './windows-table.ts';

export const X86_PLATFORM: Platform = {
  msiWindows: X86_MSI_WINDOWS,
  // Of QEMU's vendor, with no driver. The firmware turns memory decoding on.
  windowsIdentity: { vendorId: 0x1b36, deviceId: 0xfff7 },
  // Linux takes the host bridge, whose resources have the address, too, for the IOMMU's ACPI device.
  findsIommuInWindow: false,
  tellTopology,
};

async function tellTopology({ description, folder, observeWindows }: TopologyContext) {
  const { windows = [] } = description;
  const addresses = windows.length === 0 ? [] : await observeWindows();
  const viotFile = join(folder, 'viot.aml');
  writeFileSync(viotFile, writeViot(machineTopology(description, addresses)));
  const more = windows.flatMap(({ bdf }, index) => {
    const file = join(folder, `windows${index}.aml`);
    // A QEMU that shares no memory does no DMA for a function without Bus Master Enable.
    const parent = { parent: acpiPath(bdf), interrupt: interruptOf(bdf), enableParent: true };
    writeFileSync(file, writeWindowsTable(description, index, addresses, parent));
    return ['-acpitable', `file=${doubleCommas(file)}`];
  });
  return { viotFile, more };
}

/** QEMU's name for the function in the ACPI namespace. */
function acpiPath(bdf: Bdf): string {
  return `\\_SB.PCI0.S${bdf.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** q35 wires INTA of slots 0 to 24 to PIRQE to PIRQH in turn, which are the global system interrupts 20 to 23. */
function interruptOf(bdf: Bdf): number {
  return 20 + ((bdf >> 3) & 3);
}
