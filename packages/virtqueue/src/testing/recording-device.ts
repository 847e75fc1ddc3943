/** RecordingDevice: a VirtioDevice that remembers what its transport told it, and does as much as a test asks. */

import type { AccessWidth, DeviceContext, VirtioDevice } from '../device/virtio-device.ts';
import { toHex } from '../snapshot/hex.ts';
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts';

export class RecordingDevice implements VirtioDevice {
  readonly deviceId: number;
  readonly queueMaxSizes: readonly number[];
  readonly deviceFeatures: bigint;
  readonly configSize: number;
  readonly config: DataView;
  /** Each call, in order, such as `notify 0`. */
  readonly calls: string[] = [];
  context: DeviceContext | undefined;

  constructor(options: Partial<VirtioDevice> = {}) {
    this.deviceId = options.deviceId ?? 4;
    this.queueMaxSizes = options.queueMaxSizes ?? [256, 64];
    this.deviceFeatures = options.deviceFeatures ?? 0n;
    this.configSize = options.configSize ?? 12;
    this.config = new DataView(new ArrayBuffer(this.configSize));
  }

  readConfig(offset: number, width: AccessWidth): number {
    if (width === 4) return this.config.getUint32(offset, true);
    if (width === 2) return this.config.getUint16(offset, true);
    return this.config.getUint8(offset);
  }

  writeConfig(offset: number, width: AccessWidth, value: number): void {
    if (width === 4) this.config.setUint32(offset, value, true);
    else if (width === 2) this.config.setUint16(offset, value, true);
    else this.config.setUint8(offset, value);
  }

  /** Its configuration, which the driver may have written. */
  snapshot(): { version: number; config: string } {
    return { version: 1, config: toHex(new Uint8Array(this.config.buffer)) };
  }

  prepareRestore(snapshot: SnapshotReader): () => void {
    snapshot.version(1);
    const config = snapshot.field('config').bytes(this.configSize);
    return () => new Uint8Array(this.config.buffer).set(config);
  }

  activate(context: DeviceContext): void {
    this.calls.push('activate');
    this.context = context;
  }

  notifyQueue(index: number): boolean {
    this.calls.push(`notify ${index}`);
    return false;
  }

  queueReset(index: number): void {
    this.calls.push(`queueReset ${index}`);
  }

  reset(): void {
    this.calls.push('reset');
    this.context = undefined;
  }
}
