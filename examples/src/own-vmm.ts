/** The example of the README: single packages in a VMM of one's own. Its test runs it, and compares it with the README. */
import { MemoryDisk, VirtioBlockDevice } from '@viommu/devices';
import { VirtioIommuDevice } from '@viommu/iommu-core';
import { simBackend } from '@viommu/pviommu-sim';
import { createVirtioPciFunction, type PciHost } from '@viommu/transport-pci';
import { ArrayGuestMemory } from '@viommu/virtqueue';

const DISK = 0x28; // the disk is at 00:05.0, and that is its endpoint ID
export const memory = new ArrayGuestMemory([{ base: 0, buffer: new SharedArrayBuffer(64 << 20) }]);
const iommu = new VirtioIommuDevice({ backend: simBackend(), endpoints: [{ id: DISK }] });
const disk = new VirtioBlockDevice({ disk: new MemoryDisk(new Uint8Array(1 << 20)), id: 'mine' });

/** Your bus hands accesses to their readConfig, writeConfig, readBar and writeBar. */
export const functions = [
  createVirtioPciFunction({ device: iommu }),
  createVirtioPciFunction({ device: disk, memory: (host) => iommu.endpointMemory(DISK, host) }),
];
export function plugIn(host: Pick<PciHost, 'signalMsix' | 'setIntx'>): void {
  for (const pci of functions) pci.connect({ memory, ownsMsixTable: false, ...host });
}
/** Your loop lets them work. */
export function work(): void {
  while (functions.some((pci) => pci.service())) {}
}
