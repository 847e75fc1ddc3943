export type { PciBar, PciFunction, PciHost } from './pci-function.ts';
