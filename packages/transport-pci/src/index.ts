export type { PciIdentity } from './config-space.ts';
export { PciConfigSpace } from './config-space.ts';
export { IntxLine } from './intx.ts';
export { Msix, type MsixSnapshot, msixBar } from './msix.ts';
export {
  PCI_BASE_ADDRESS_0,
  PCI_COMMAND,
  PCI_COMMAND_MASTER,
  PCI_COMMAND_MEMORY,
} from './pci-constants.ts';
export type { PciBar, PciFunction, PciHost } from './pci-function.ts';
export type { CommonConfigSnapshot } from './virtio/common-config.ts';
export type { VirtioPciInterruptsSnapshot } from './virtio/virtio-interrupts.ts';
export type {
  VirtioPciFunction,
  VirtioPciFunctionOptions,
  VirtioPciSnapshot,
} from './virtio/virtio-pci-function.ts';
export { createVirtioPciFunction } from './virtio/virtio-pci-function.ts';
