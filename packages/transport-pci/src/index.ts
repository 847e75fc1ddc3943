export type { PciIdentity } from './config-space.ts';
export { PciConfigSpace } from './config-space.ts';
export { IntxLine } from './intx.ts';
export { Msix, msixBar } from './msix.ts';
export {
  PCI_BASE_ADDRESS_0,
  PCI_COMMAND,
  PCI_COMMAND_MASTER,
  PCI_COMMAND_MEMORY,
} from './pci-constants.ts';
export type { PciBar, PciFunction, PciHost } from './pci-function.ts';
export type { VirtioPciFunction, VirtioPciFunctionOptions } from './virtio/virtio-pci-function.ts';
export { createVirtioPciFunction } from './virtio/virtio-pci-function.ts';
