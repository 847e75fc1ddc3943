/** Registers of the DMA engine of `@viommu/devices`. */
import type { NamedRegister } from './named-register.ts';

export const DMA_ENGINE_REGISTERS: readonly NamedRegister[] = [
  [0x00, 4, 'ID'],
  [0x04, 4, 'STATUS'],
  [0x08, 8, 'SOURCE'],
  [0x10, 8, 'DESTINATION'],
  [0x18, 4, 'LENGTH'],
  [0x1c, 4, 'CONTROL'],
  [0x20, 8, 'ERROR_ADDRESS'],
  [0x28, 4, 'ERROR_ACCESS'],
];
