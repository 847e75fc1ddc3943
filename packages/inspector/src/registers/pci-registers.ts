/** Registers of the PCI configuration header and of an entry of the MSI-X table. */
import type { NamedRegister } from './named-register.ts';

export const CONFIG_REGISTERS: readonly NamedRegister[] = [
  [0x00, 2, 'Vendor ID'],
  [0x02, 2, 'Device ID'],
  [0x04, 2, 'Command'],
  [0x06, 2, 'Status'],
  [0x08, 1, 'Revision ID'],
  [0x09, 3, 'Class Code'],
  [0x0c, 1, 'Cache Line Size'],
  [0x0d, 1, 'Latency Timer'],
  [0x0e, 1, 'Header Type'],
  [0x0f, 1, 'BIST'],
  [0x10, 4, 'BAR 0'],
  [0x14, 4, 'BAR 1'],
  [0x18, 4, 'BAR 2'],
  [0x1c, 4, 'BAR 3'],
  [0x20, 4, 'BAR 4'],
  [0x24, 4, 'BAR 5'],
  [0x2c, 2, 'Subsystem Vendor ID'],
  [0x2e, 2, 'Subsystem ID'],
  [0x30, 4, 'Expansion ROM'],
  [0x34, 1, 'Capabilities'],
  [0x3c, 1, 'Interrupt Line'],
  [0x3d, 1, 'Interrupt Pin'],
  [0x3e, 1, 'Min_Gnt'],
  [0x3f, 1, 'Max_Lat'],
];

export const MSIX_ENTRY_REGISTERS: readonly NamedRegister[] = [
  [0, 4, 'address'],
  [4, 4, 'upper address'],
  [8, 4, 'data'],
  [12, 4, 'control'],
];
