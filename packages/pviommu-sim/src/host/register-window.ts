/** The contract RegisterWindow: registers of a device as something on the host's bus reaches them. Types and docs only. */
import type { AccessWidth } from '@viommu/virtqueue';

/** A BAR of a PCI function fits it. Offsets are in bytes, from the window's start; values are little-endian, unsigned. */
export interface RegisterWindow {
  read(offset: number, width: AccessWidth): number;
  write(offset: number, width: AccessWidth, value: number): void;
}
