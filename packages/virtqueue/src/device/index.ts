export * from './constants.ts';
export type { DeviceSessionOptions } from './device-session.ts';
export { DeviceSession } from './device-session.ts';
export type { QueueArea } from './queue-settings.ts';
export { QueueSettings } from './queue-settings.ts';
export type { AccessWidth, DeviceContext, InterruptSink, VirtioDevice } from './virtio-device.ts';
