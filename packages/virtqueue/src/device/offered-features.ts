/** What a session offers for a device, the features of the device, of the rings and of the transport, and what it agrees to. */
import {
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_RING_RESET,
  VIRTIO_F_VERSION_1,
} from './constants.ts';
import type { DeviceSessionOptions } from './session-options.ts';

const SESSION_FEATURES =
  VIRTIO_F_VERSION_1 |
  VIRTIO_F_INDIRECT_DESC |
  VIRTIO_F_EVENT_IDX |
  // Each device here uses the buffers of a queue in the order in which it took them.
  VIRTIO_F_IN_ORDER |
  VIRTIO_F_RING_RESET;

/** A mask. */
export function offeredFeatures(options: DeviceSessionOptions): bigint {
  const { device, packed = false, transportFeatures = 0n } = options;
  return (
    device.deviceFeatures |
    SESSION_FEATURES |
    (packed ? VIRTIO_F_RING_PACKED : 0n) |
    transportFeatures
  );
}

/** "The device SHOULD NOT set FEATURES_OK" for features that it did not offer, or for a legacy driver. */
export function isAgreeable(features: bigint, offered: bigint): boolean {
  return (features & ~offered) === 0n && (features & VIRTIO_F_VERSION_1) !== 0n;
}
