/** Checks of a session's snapshot that change nothing. */
import { VirtioError } from '../error.ts';
import type { RestoredDriver } from '../snapshot/snapshot.ts';
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts';
import { VIRTIO_CONFIG_S_DRIVER_OK, VIRTIO_CONFIG_S_FEATURES_OK } from './constants.ts';
import type { VirtioDevice } from './virtio-device.ts';

const SESSION_VERSION = 1;
const BYTE_MAX = 0xff;

export interface RestoredSession {
  readonly status: number;
  readonly configGeneration: number;
  readonly driver: RestoredDriver;
}

/** @throws VirtioError `SNAPSHOT` */
export function readSession(
  snapshot: SnapshotReader,
  deviceId: number,
  offeredFeatures: bigint,
): RestoredSession {
  snapshot.version(SESSION_VERSION);
  const id = snapshot.field('deviceId').integer(0, BYTE_MAX);
  if (id !== deviceId) snapshot.refuse(`is of a device of type ${id}, and this one is ${deviceId}`);
  const status = snapshot.field('status').integer(0, BYTE_MAX);
  const features = snapshot.field('driverFeatures').mask();
  const isAgreed = (status & VIRTIO_CONFIG_S_FEATURES_OK) !== 0;
  if (isAgreed && (features & ~offeredFeatures) !== 0n) {
    snapshot.refuse('has features that this device does not offer');
  }
  return {
    status,
    configGeneration: snapshot.field('configGeneration').integer(0, Number.MAX_SAFE_INTEGER),
    driver: { isUp: isAgreed && (status & VIRTIO_CONFIG_S_DRIVER_OK) !== 0, features },
  };
}

/** As {@link VirtioDevice.prepareRestore}, for any device. */
export function prepareDevice(
  device: VirtioDevice,
  snapshot: SnapshotReader,
  driver: RestoredDriver,
): () => void {
  if (device.prepareRestore !== undefined) return device.prepareRestore(snapshot, driver);
  if (!snapshot.isNull) snapshot.refuse('is of a device that keeps more');
  return () => {};
}

export function snapshotBusy(deviceId: number): VirtioError {
  return new VirtioError(
    'SNAPSHOT_BUSY',
    `virtio device ${deviceId} is at work: take the snapshot when service has returned`,
  );
}
