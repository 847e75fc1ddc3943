/** A disk of bytes in memory, for the scenario of a disk. */
import { MemoryDisk } from '@viommu/devices';
import { NO_PARTS } from '../no-parts.ts';
import type { DiskParts } from './disk-scenario.ts';
import { sha256 } from './sha256.ts';

/** @param bytes a multiple of 512, at least 1024; the scenario reads and writes them */
export function memoryDiskParts(bytes: Uint8Array, readOnly = false): DiskParts {
  return {
    ...NO_PARTS,
    openDisk: () => Object.assign(new MemoryDisk(bytes, { readOnly }), { close() {} }),
    sha256,
    sha256OfDisk: (start, length) => sha256(bytes.subarray(start, start + length)),
  };
}
