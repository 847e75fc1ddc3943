export type { GuestMemorySubject } from './guest-memory-suite.ts';
export { guestMemorySuite, testByte, testPage } from './guest-memory-suite.ts';
export { RecordingDevice } from './recording-device.ts';
export { transportSuite } from './transport-suite.ts';
export type { TransportSubject } from './transport-suite-setting.ts';
export { virtioDeviceSuite } from './virtio-device-suite.ts';
export type { VirtqueueSubject, VirtqueueSuiteOptions } from './virtqueue-suite.ts';
export { virtqueueSuite } from './virtqueue-suite.ts';
export { InvisibleGuestMemory, ScatteredGuestMemory } from './wrapped-memory.ts';
