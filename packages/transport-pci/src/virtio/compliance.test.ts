import { RecordingDevice } from '@viommu/virtqueue/testing';
import { pciFunctionSuite } from '../testing/pci-function-suite.ts';
import { createVirtioPciFunction } from './virtio-pci-function.ts';

pciFunctionSuite('virtio function with MSI-X', () =>
  createVirtioPciFunction({ device: new RecordingDevice() }),
);

pciFunctionSuite('virtio function with INTx alone, without configuration', () =>
  createVirtioPciFunction({ device: new RecordingDevice({ configSize: 0 }), msixVectors: 0 }),
);

pciFunctionSuite('virtio function without queues', () =>
  createVirtioPciFunction({ device: new RecordingDevice({ queueMaxSizes: [] }) }),
);
