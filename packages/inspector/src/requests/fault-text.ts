/** Faults of endpoints, in words. */
import { VIRTIO_IOMMU_FAULT_F_WRITE } from '@viommu/iommu-core';

/** By VIRTIO_IOMMU_FAULT_R_*. */
const REASONS = ['for a reason unknown', 'the endpoint has no domain', 'nothing is mapped there'];

export function faultReason(reason: number): string {
  return REASONS[reason] ?? `reason ${reason}`;
}

/** @param access VIRTIO_IOMMU_FAULT_F_READ or VIRTIO_IOMMU_FAULT_F_WRITE */
export function accessVerb(access: number): string {
  return access === VIRTIO_IOMMU_FAULT_F_WRITE ? 'write' : 'read';
}
