/** What the server of the soak run is told, and what it tells. Types and docs only. */
import type { MachineDescription } from '@viommu/machine';

export interface SoakServerSettings {
  readonly machine: MachineDescription;
  /** Folder for the sockets; it exists. */
  readonly socketDir: string;
}

/** Bytes. */
export interface SoakServerMemory {
  /** Of the JavaScript heap that are in use when all garbage is gone. */
  readonly heap: number;
  readonly external: number;
  readonly resident: number;
}
