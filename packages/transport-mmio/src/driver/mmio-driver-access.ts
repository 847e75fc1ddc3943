/** The contract MmioDriverAccess: how a driver reaches the registers of a window. Types and docs only. */
import type { MmioDevice } from '../mmio-device.ts';

/** Accesses by offset in the window. An `MmioDevice` in the same process satisfies it; so does whatever forwards to one. */
export type MmioDriverAccess = Pick<MmioDevice, 'read' | 'write'>;
