/** FirmwareTables: the ACPI tables that SeaBIOS hands to a guest in v86: what is behind the IOMMUs, and what is in windows. */
import { type Bdf, type MachineDescription, machineTopology } from '@viommu/machine';
import { writeViot } from '@viommu/viot';
import { writeWindowsTable } from '../linux/platforms/windows-table.ts';
import { WindowsWatch } from '../linux/windows-watch.ts';
import type { ServerMessage } from '../server/server-messages.ts';

interface FirmwareTable {
  /** A file name of the firmware's. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Any place will do: it is as long as another. */
const NOT_PLACED = 0x1000_0000;
/** SeaBIOS wires the interrupt pins of v86's bus to these, by slot. */
const INTERRUPTS = [10, 10, 11, 11] as const;

/**
 * Windows are where the firmware puts the BAR that they are in. It reads the tables after that: so they are made at once, in their
 * size, and get their addresses when the BARs have theirs.
 */
export class FirmwareTables {
  readonly tables: readonly FirmwareTable[];
  readonly #windows: WindowsWatch;

  constructor(description: MachineDescription) {
    const { windows = [] } = description;
    const nowhere = windows.map((_, index) => NOT_PLACED * (index + 1));
    this.tables = writeTables(description, nowhere);
    this.#windows = new WindowsWatch(windows.length);
    this.#windows.whenPlaced(() => {
      const placed = writeTables(description, this.#windows.addresses);
      for (const [index, { bytes }] of placed.entries()) this.tables[index]!.bytes.set(bytes);
    });
  }

  /** Takes what the machine tells. */
  see(message: ServerMessage): void {
    this.#windows.see(message);
  }
}

function writeTables(
  description: MachineDescription,
  addresses: readonly number[],
): FirmwareTable[] {
  const { windows = [] } = description;
  return [
    { name: 'viot', bytes: writeViot(machineTopology(description, addresses)) },
    ...windows.map(({ bdf }, index) => ({
      name: `windows${index}`,
      bytes: writeWindowsTable(description, index, addresses, {
        parent: acpiPath(bdf),
        interrupt: INTERRUPTS[((bdf >> 3) - 1) & 3]!,
      }),
    })),
  ];
}

/** SeaBIOS' name for what is in a slot in the ACPI namespace. */
function acpiPath(bdf: Bdf): string {
  return `\\_SB.PCI0.S${(bdf >> 3).toString(16).toUpperCase().padStart(2, '0')}`;
}
