/** The contract PciDriverAccess: how a driver reaches a function's registers. Types and docs only. */
import type { PciFunction } from '../pci-function.ts';

/**
 * Accesses by BAR and offset, so that no addresses need be assigned. A `PciFunction` in the same process satisfies it; so
 * does whatever forwards the accesses to one.
 */
export type PciDriverAccess = Pick<
  PciFunction,
  'readConfig' | 'writeConfig' | 'readBar' | 'writeBar'
>;
