/** The IOMMU by the suite of every virtio device. */
import { virtioDeviceSuite } from '@viommu/virtqueue/testing';
import { createTestDevice } from './testing/test-device.ts';

virtioDeviceSuite('virtio-iommu', () => createTestDevice().device);
