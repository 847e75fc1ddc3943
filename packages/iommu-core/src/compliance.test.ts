/** The IOMMU by the suite of every virtio device. */
import { virtioDeviceSuite } from '@viommu/virtqueue/testing';
import { createTestDevice } from './testing/test-device.ts';

virtioDeviceSuite('virtio-iommu', () => createTestDevice().device);
virtioDeviceSuite(
  'virtio-iommu with its topology in it',
  () =>
    createTestDevice({
      topology: { feature: 50, offset: 44, bytes: Uint8Array.from({ length: 20 }, (_, at) => at) },
    }).device,
);
