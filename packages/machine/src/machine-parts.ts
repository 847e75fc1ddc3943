/** The contract MachineParts: where a machine's data goes and comes from, outside of it. Types and docs only. */
import type { Disk, NetBackend } from '@viommu/devices';
import type { DiskDescription, NetDescription } from './machine-description.ts';

export interface MachineDisk extends Disk {
  /** Flushes and closes it; it must not be used any more. Throws when anything written may be lost, and is closed even so. */
  close(): void;
}

export interface MachineNetwork extends NetBackend {
  /** It must not be used any more. */
  close(): void;
}

/** What each throws, `createMachine` throws. */
export interface MachineParts {
  /** Called once for each disk of the description. */
  openDisk(disk: DiskDescription): MachineDisk;
  /** Called once for each network of the description. */
  openNetwork(net: NetDescription): MachineNetwork;
  /** Fills all of `bytes` with random ones fit for cryptography. */
  fillRandom(bytes: Uint8Array): void;
}
