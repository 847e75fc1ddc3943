/** A file as the disk of the scenario of a disk. */
import { createHash } from 'node:crypto';
import type { DiskParts } from '@viommu/scenarios';
import { sha256OfRange } from '../linux/disk-image.ts';
import { NodeParts } from '../machine/node-parts.ts';

/** @param path of a file of a multiple of 512 bytes, at least 1024; the scenario reads and writes it */
export function fileDiskParts(path: string, readOnly = false): DiskParts {
  const files = new NodeParts();
  return {
    openDisk: (disk) => files.openDisk({ ...disk, path, readOnly }),
    openNetwork: (net) => files.openNetwork(net),
    fillRandom: (bytes) => files.fillRandom(bytes),
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    sha256OfDisk: (start, length) => sha256OfRange(path, start, length),
  };
}
