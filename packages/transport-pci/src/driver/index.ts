export type { PciDriverAccess } from './pci-driver-access.ts';
export type { MsixMessage, PciDriverTransport } from './pci-driver-transport.ts';
export { createPciDriverTransport } from './pci-driver-transport.ts';
