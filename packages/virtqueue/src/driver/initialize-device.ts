/** initializeDevice: the sequence in which every driver brings its device up ("Device Initialization"). */
import {
  VIRTIO_CONFIG_S_ACKNOWLEDGE,
  VIRTIO_CONFIG_S_DRIVER,
  VIRTIO_CONFIG_S_DRIVER_OK,
  VIRTIO_CONFIG_S_FAILED,
  VIRTIO_CONFIG_S_FEATURES_OK,
  VIRTIO_F_VERSION_1,
} from '../device/constants.ts';
import { VirtioError } from '../error.ts';
import type { DriverTransport } from './driver-transport.ts';

export interface InitializeOptions {
  /** The features that the driver understands, as a mask; VIRTIO_F_VERSION_1 and those of the transport are added. */
  readonly features: bigint;
  /** Sets the queues up, when the features are settled and before DRIVER_OK. */
  readonly setUpQueues: (features: bigint) => void;
}

/**
 * Resets the device, agrees on features and sets DRIVER_OK.
 *
 * @returns the features that both have, as a mask
 * @throws VirtioError `NO_VERSION_1` for a legacy device, `FEATURES_REFUSED` when the device takes back FEATURES_OK
 */
export function initializeDevice(transport: DriverTransport, options: InitializeOptions): bigint {
  transport.writeStatus(0);
  transport.writeStatus(VIRTIO_CONFIG_S_ACKNOWLEDGE);
  transport.writeStatus(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
  const offered = transport.readDeviceFeatures();
  if ((offered & VIRTIO_F_VERSION_1) === 0n) {
    throw fail(
      transport,
      'NO_VERSION_1',
      'the device is a legacy one; this driver needs VIRTIO_F_VERSION_1',
    );
  }
  const { transportFeatures = 0n } = transport;
  const features = offered & (options.features | transportFeatures | VIRTIO_F_VERSION_1);
  transport.writeDriverFeatures(features);
  const agreed = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK;
  transport.writeStatus(agreed);
  if ((transport.readStatus() & VIRTIO_CONFIG_S_FEATURES_OK) === 0) {
    throw fail(
      transport,
      'FEATURES_REFUSED',
      `the device refuses the features 0x${features.toString(16)}; ask for fewer, or for those they depend on`,
    );
  }
  options.setUpQueues(features);
  transport.writeStatus(agreed | VIRTIO_CONFIG_S_DRIVER_OK);
  return features;
}

function fail(transport: DriverTransport, code: string, message: string): VirtioError {
  transport.writeStatus(transport.readStatus() | VIRTIO_CONFIG_S_FAILED);
  return new VirtioError(code, message);
}
