export {
  VIRTIO_CONFIG_S_ACKNOWLEDGE,
  VIRTIO_CONFIG_S_DRIVER,
  VIRTIO_CONFIG_S_DRIVER_OK,
  VIRTIO_CONFIG_S_FAILED,
  VIRTIO_CONFIG_S_FEATURES_OK,
  VIRTIO_CONFIG_S_NEEDS_RESET,
  VIRTIO_F_ACCESS_PLATFORM,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_NOTIF_CONFIG_DATA,
  VIRTIO_F_NOTIFICATION_DATA,
  VIRTIO_F_ORDER_PLATFORM,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_RING_RESET,
  VIRTIO_F_SR_IOV,
  VIRTIO_F_VERSION_1,
  VIRTIO_ID_BLOCK,
  VIRTIO_ID_ENTROPY,
  VIRTIO_ID_IOMMU,
  VIRTIO_ID_NET,
} from './constants.ts';
export { DeviceSession } from './device-session.ts';
export type { QueueGate } from './queue-gate.ts';
export type { QueueObserver, QueueSource, QueueState } from './queue-observer.ts';
export type { QueueArea } from './queue-settings.ts';
export { QueueSettings } from './queue-settings.ts';
export type { DeviceSessionOptions } from './session-options.ts';
export type { VirtioTransportOptions } from './transport-options.ts';
export type { AccessWidth, DeviceContext, InterruptSink, VirtioDevice } from './virtio-device.ts';
