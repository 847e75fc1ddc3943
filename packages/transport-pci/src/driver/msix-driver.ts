/** The driver's side of MSI-X, for any PCI function: finds the table, fills it, and turns messages on. */
import { VirtioError } from '@viommu/virtqueue';
import {
  PCI_CAP_ID_MSIX,
  PCI_CAPABILITY_LIST,
  PCI_CONFIG_SPACE_SIZE,
  PCI_MSIX_ENTRY_DATA,
  PCI_MSIX_ENTRY_LOWER_ADDR,
  PCI_MSIX_ENTRY_SIZE,
  PCI_MSIX_ENTRY_UPPER_ADDR,
  PCI_MSIX_ENTRY_VECTOR_CTRL,
  PCI_MSIX_FLAGS,
  PCI_MSIX_FLAGS_ENABLE,
  PCI_MSIX_FLAGS_QSIZE,
  PCI_MSIX_TABLE,
  PCI_STATUS,
  PCI_STATUS_CAP_LIST,
  PCI_STD_HEADER_SIZE,
} from '../pci-constants.ts';
import type { PciDriverAccess } from './pci-driver-access.ts';

/** Where a vector's message goes: address and data of its table entry. */
export interface MsixMessage {
  readonly address: number;
  readonly data: number;
}

export interface MsixStructure {
  /** Offset of the capability in configuration space. */
  readonly capability: number;
  readonly vectors: number;
  readonly tableBar: number;
  readonly tableOffset: number;
}

const TWO_TO_32 = 2 ** 32;

/**
 * Gives each of the first vectors its message, unmasked, and enables MSI-X.
 *
 * @throws VirtioError `MSIX_VECTORS` when the function has fewer vectors, or none
 */
export function enableMsix(access: PciDriverAccess, messages: readonly MsixMessage[]): void {
  const msix = findMsix(access);
  if (msix === undefined || messages.length < 1 || messages.length > msix.vectors) {
    throw new VirtioError(
      'MSIX_VECTORS',
      `${messages.length} MSI-X messages for a function with ${msix?.vectors ?? 0} vectors`,
    );
  }
  for (const [vector, { address, data }] of messages.entries()) {
    const entry = msix.tableOffset + vector * PCI_MSIX_ENTRY_SIZE;
    const write = (field: number, value: number): void =>
      access.writeBar(msix.tableBar, entry + field, 4, value);
    write(PCI_MSIX_ENTRY_LOWER_ADDR, address % TWO_TO_32);
    write(PCI_MSIX_ENTRY_UPPER_ADDR, Math.floor(address / TWO_TO_32));
    write(PCI_MSIX_ENTRY_DATA, data);
    write(PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
  }
  access.writeConfig(msix.capability + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
}

function findMsix(access: PciDriverAccess): MsixStructure | undefined {
  for (const capability of capabilityOffsets(access)) {
    if (access.readConfig(capability, 1) === PCI_CAP_ID_MSIX) return readMsix(access, capability);
  }
  return undefined;
}

export function readMsix(access: PciDriverAccess, capability: number): MsixStructure {
  const table = access.readConfig(capability + PCI_MSIX_TABLE, 4);
  const control = access.readConfig(capability + PCI_MSIX_FLAGS, 2);
  return {
    capability,
    vectors: (control & PCI_MSIX_FLAGS_QSIZE) + 1,
    tableBar: table & 7,
    tableOffset: (table & ~7) >>> 0,
  };
}

/** Each capability once, even when a broken function links its list into a loop. */
export function capabilityOffsets(access: PciDriverAccess): Set<number> {
  const offsets = new Set<number>();
  if ((access.readConfig(PCI_STATUS, 2) & PCI_STATUS_CAP_LIST) === 0) return offsets;
  let offset = access.readConfig(PCI_CAPABILITY_LIST, 1) & ~3;
  while (offset >= PCI_STD_HEADER_SIZE && offset < PCI_CONFIG_SPACE_SIZE && !offsets.has(offset)) {
    offsets.add(offset);
    offset = access.readConfig(offset + 1, 1) & ~3;
  }
  return offsets;
}
