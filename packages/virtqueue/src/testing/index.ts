export type { DeviceUnderTest } from './device-under-test.ts';
export { GuestBytes } from './guest-bytes.ts';
export type { GuestMemorySubject } from './guest-memory-suite.ts';
export { guestMemorySuite, testByte, testPage } from './guest-memory-suite.ts';
export { RecordingDevice } from './recording-device.ts';
export { type CaseSetting, registerCases } from './register-cases.ts';
export {
  type DeviceRingOptions,
  type DeviceRingSubject,
  deviceRingSuite,
  type RingLayout,
} from './ring-suite/device-ring-suite.ts';
export type { HarmlessRequest } from './ring-suite/harmless-request.ts';
export type { BrokenRing } from './ring-suite/ring-setting.ts';
export type { CaseLevel, CaseOptions, CaseOutcome, Departure, SuiteCase } from './suite-case.ts';
export { transportSuite } from './transport-suite.ts';
export type { TransportSubject } from './transport-suite-setting.ts';
export { virtioDeviceSuite } from './virtio-device-suite.ts';
export type { VirtqueueSubject, VirtqueueSuiteOptions } from './virtqueue-suite.ts';
export { virtqueueSuite } from './virtqueue-suite.ts';
export { InvisibleGuestMemory, ScatteredGuestMemory } from './wrapped-memory.ts';
