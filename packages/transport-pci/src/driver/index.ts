export type { MsixMessage } from './msix-driver.ts';
export { enableMsix } from './msix-driver.ts';
export type { PciDriverAccess } from './pci-driver-access.ts';
export type { PciDriverTransport } from './pci-driver-transport.ts';
export { createPciDriverTransport } from './pci-driver-transport.ts';
