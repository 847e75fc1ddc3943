export type { AccessWidth, DeviceContext, InterruptSink, VirtioDevice } from './virtio-device.ts';
