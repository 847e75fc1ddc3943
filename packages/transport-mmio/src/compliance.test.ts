import { RecordingDevice } from '@viommu/virtqueue/testing';
import { mmioDeviceSuite } from './testing/mmio-device-suite.ts';
import { createVirtioMmioDevice } from './virtio-mmio-device.ts';

mmioDeviceSuite('virtio device', () => createVirtioMmioDevice({ device: new RecordingDevice() }));

mmioDeviceSuite('virtio device without configuration', () =>
  createVirtioMmioDevice({ device: new RecordingDevice({ configSize: 0 }) }),
);

mmioDeviceSuite('virtio device with a configuration of 1000 bytes, without queues', () =>
  createVirtioMmioDevice({
    device: new RecordingDevice({ configSize: 1000, queueMaxSizes: [] }),
  }),
);
