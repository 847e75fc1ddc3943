/** What a machine is made of, as those who watch it are told. */
import { VIRTIO_IOMMU_RESV_MEM_T_MSI } from '@viommu/iommu-core';
import {
  describePlace,
  iommuSocketName,
  type MachineDescription,
  socketNames,
} from '@viommu/machine';
import type { WatchedTopology } from './inspector-messages.ts';

export function watchedTopology(description: MachineDescription): WatchedTopology {
  const names = socketNames(description);
  const reserved = description.msiWindows.map(({ start, end }) => ({
    start,
    end,
    subtype: VIRTIO_IOMMU_RESV_MEM_T_MSI,
  }));
  return {
    iommus: description.iommus.map(({ place }, index) => ({
      name: iommuSocketName(index),
      place: describePlace(place, description),
    })),
    endpoints: description.devices.map(({ kind, iommu, endpoint, place }, index) => ({
      iommu,
      endpoint,
      name: names[index]!,
      kind,
      place: describePlace(place, description),
      reserved,
    })),
  };
}
