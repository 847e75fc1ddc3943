/** What both stages together can do. */
import type { BackendCapabilities } from '@viommu/iommu-core';

/** The coarser granule and the nearer end: what stage 1 can keep and the physical IOMMU can map. */
export function joinCapabilities(
  stage1: BackendCapabilities,
  physical: BackendCapabilities,
): BackendCapabilities {
  const granule = physical.pageSizeMask & -physical.pageSizeMask;
  const { pageSizeMask } = stage1;
  const isCoarse = pageSizeMask % granule === 0n;
  return {
    pageSizeMask: isCoarse ? pageSizeMask : (pageSizeMask & -granule) | granule,
    inputEnd: Math.min(stage1.inputEnd, physical.inputEnd),
    mmio: stage1.mmio,
  };
}
