/** The topology of a machine: each endpoint by its PCI address, all behind the one IOMMU. */
import type { Topology } from '@viommu/viot';
import type { MachineDescription } from './machine-description.ts';

export function machineTopology(description: MachineDescription): Topology {
  const endpoints = [...description.disks, ...(description.nets ?? [])].map(({ bdf }) => bdf);
  for (const bdf of [description.rng, description.engine]) {
    if (bdf !== undefined) endpoints.push(bdf);
  }
  return {
    iommus: [{ kind: 'pci', segment: 0, bdf: description.iommu }],
    endpoints: endpoints.map((bdf) => ({
      kind: 'pci',
      segmentStart: 0,
      segmentEnd: 0,
      bdfStart: bdf,
      bdfEnd: bdf,
      endpointStart: bdf,
      iommu: 0,
    })),
  };
}
