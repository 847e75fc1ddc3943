export { mmioDeviceSuite } from './mmio-device-suite.ts';
export { RecordingMmioHost } from './recording-mmio-host.ts';
