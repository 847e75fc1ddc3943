/** CommonConfig: the registers of struct virtio_pci_common_cfg ("Common configuration structure layout"). */
import type { AccessWidth } from '@viommu/virtqueue';
import type { DeviceSession, QueueSettings } from '@viommu/virtqueue/device';
import type { SnapshotReader } from '@viommu/virtqueue/snapshot';
import type { VirtioPciInterrupts } from './virtio-interrupts.ts';
import {
  COMMON_ADMIN_QUEUE_INDEX,
  COMMON_ADMIN_QUEUE_NUM,
  COMMON_CONFIG_GENERATION,
  COMMON_CONFIG_MSIX_VECTOR,
  COMMON_DEVICE_FEATURE,
  COMMON_DEVICE_FEATURE_SELECT,
  COMMON_DEVICE_STATUS,
  COMMON_DRIVER_FEATURE,
  COMMON_DRIVER_FEATURE_SELECT,
  COMMON_NUM_QUEUES,
  COMMON_QUEUE_DESC_HI,
  COMMON_QUEUE_DESC_LO,
  COMMON_QUEUE_DEVICE_HI,
  COMMON_QUEUE_DEVICE_LO,
  COMMON_QUEUE_DRIVER_HI,
  COMMON_QUEUE_DRIVER_LO,
  COMMON_QUEUE_ENABLE,
  COMMON_QUEUE_MSIX_VECTOR,
  COMMON_QUEUE_NOTIF_CONFIG_DATA,
  COMMON_QUEUE_NOTIFY_OFF,
  COMMON_QUEUE_RESET,
  COMMON_QUEUE_SELECT,
  COMMON_QUEUE_SIZE,
  COMMON_SIZE,
  VIRTIO_MSI_NO_VECTOR,
} from './virtio-pci-constants.ts';

/** Where each field begins and how wide it is; le64 fields are two 32-bit fields ("PCI Device Layout"). */
const FIELD_WIDTHS: readonly (readonly [offset: number, width: AccessWidth])[] = [
  [COMMON_DEVICE_FEATURE_SELECT, 4],
  [COMMON_DEVICE_FEATURE, 4],
  [COMMON_DRIVER_FEATURE_SELECT, 4],
  [COMMON_DRIVER_FEATURE, 4],
  [COMMON_CONFIG_MSIX_VECTOR, 2],
  [COMMON_NUM_QUEUES, 2],
  [COMMON_DEVICE_STATUS, 1],
  [COMMON_CONFIG_GENERATION, 1],
  [COMMON_QUEUE_SELECT, 2],
  [COMMON_QUEUE_SIZE, 2],
  [COMMON_QUEUE_MSIX_VECTOR, 2],
  [COMMON_QUEUE_ENABLE, 2],
  [COMMON_QUEUE_NOTIFY_OFF, 2],
  [COMMON_QUEUE_DESC_LO, 4],
  [COMMON_QUEUE_DESC_HI, 4],
  [COMMON_QUEUE_DRIVER_LO, 4],
  [COMMON_QUEUE_DRIVER_HI, 4],
  [COMMON_QUEUE_DEVICE_LO, 4],
  [COMMON_QUEUE_DEVICE_HI, 4],
  [COMMON_QUEUE_NOTIF_CONFIG_DATA, 2],
  [COMMON_QUEUE_RESET, 2],
  [COMMON_ADMIN_QUEUE_INDEX, 2],
  [COMMON_ADMIN_QUEUE_NUM, 2],
];

/** By byte of the structure: the offset and the width of the field that it belongs to. */
const fieldOffset = new Uint8Array(COMMON_SIZE);
const fieldWidth = new Uint8Array(COMMON_SIZE);
for (const [offset, width] of FIELD_WIDTHS) {
  fieldOffset.fill(offset, offset, offset + width);
  fieldWidth.fill(width, offset, offset + width);
}

const UINT16_MAX = 0xffff;
const UINT32_MAX = 0xffff_ffff;

/** The selections of the driver. */
export interface CommonConfigSnapshot {
  readonly deviceFeatureSelect: number;
  readonly driverFeatureSelect: number;
  readonly queueSelect: number;
}

/**
 * Drivers must use the natural width of each field, and those accesses go straight to it. All others are answered as plain
 * memory would: composed of, or merged into, the fields that they touch.
 */
export class CommonConfig {
  readonly #session: DeviceSession;
  readonly #interrupts: VirtioPciInterrupts;
  #deviceFeatureSelect = 0;
  #driverFeatureSelect = 0;
  #queueSelect = 0;

  constructor(session: DeviceSession, interrupts: VirtioPciInterrupts) {
    this.#session = session;
    this.#interrupts = interrupts;
  }

  /** Forgets the selections; the rest of the registers is reset with the session and the interrupts. */
  reset(): void {
    this.#deviceFeatureSelect = 0;
    this.#driverFeatureSelect = 0;
    this.#queueSelect = 0;
  }

  snapshot(): CommonConfigSnapshot {
    return {
      deviceFeatureSelect: this.#deviceFeatureSelect,
      driverFeatureSelect: this.#driverFeatureSelect,
      queueSelect: this.#queueSelect,
    };
  }

  /** @returns what brings the selections back @throws VirtioError `SNAPSHOT` */
  prepareRestore(snapshot: SnapshotReader): () => void {
    const deviceFeatureSelect = snapshot.field('deviceFeatureSelect').integer(0, UINT32_MAX);
    const driverFeatureSelect = snapshot.field('driverFeatureSelect').integer(0, UINT32_MAX);
    const queueSelect = snapshot.field('queueSelect').integer(0, UINT16_MAX);
    return () => {
      this.#deviceFeatureSelect = deviceFeatureSelect;
      this.#driverFeatureSelect = driverFeatureSelect;
      this.#queueSelect = queueSelect;
    };
  }

  read(offset: number, width: AccessWidth): number {
    if (isNatural(offset, width)) return this.#readField(offset);
    let value = 0;
    for (let byte = 0; byte < width; byte++) {
      const field = fieldOffset[offset + byte];
      if (field === undefined) continue;
      const shift = 8 * (offset + byte - field);
      value |= ((this.#readField(field) >>> shift) & 0xff) << (8 * byte);
    }
    return value >>> 0;
  }

  write(offset: number, width: AccessWidth, value: number): void {
    if (isNatural(offset, width)) {
      this.#writeField(offset, value);
      return;
    }
    const end = offset + width;
    let position = offset;
    while (position < end && position < COMMON_SIZE) {
      const field = fieldOffset[position] ?? 0;
      const fieldEnd = field + (fieldWidth[position] ?? 1);
      let merged = this.#readField(field);
      for (; position < end && position < fieldEnd; position++) {
        const shift = 8 * (position - field);
        const byte = (value >>> (8 * (position - offset))) & 0xff;
        merged = (merged & ~(0xff << shift)) | (byte << shift);
      }
      this.#writeField(field, merged >>> 0);
    }
  }

  #readField(field: number): number {
    switch (field) {
      case COMMON_DEVICE_FEATURE_SELECT:
        return this.#deviceFeatureSelect;
      case COMMON_DEVICE_FEATURE:
        return this.#session.readDeviceFeatures(this.#deviceFeatureSelect);
      case COMMON_DRIVER_FEATURE_SELECT:
        return this.#driverFeatureSelect;
      case COMMON_DRIVER_FEATURE:
        return this.#session.readDriverFeatures(this.#driverFeatureSelect);
      case COMMON_CONFIG_MSIX_VECTOR:
        return this.#interrupts.configVector;
      case COMMON_NUM_QUEUES:
        return this.#session.queueCount;
      case COMMON_DEVICE_STATUS:
        return this.#session.status;
      case COMMON_CONFIG_GENERATION:
        return this.#session.configGeneration & 0xff;
      case COMMON_QUEUE_SELECT:
        return this.#queueSelect;
      case COMMON_QUEUE_MSIX_VECTOR:
        return this.#interrupts.queueVector(this.#queueSelect);
      default: {
        const queue = this.#session.queue(this.#queueSelect);
        return queue === undefined ? 0 : readQueueField(queue, field);
      }
    }
  }

  #writeField(field: number, value: number): void {
    switch (field) {
      case COMMON_DEVICE_FEATURE_SELECT:
        this.#deviceFeatureSelect = value;
        return;
      case COMMON_DRIVER_FEATURE_SELECT:
        this.#driverFeatureSelect = value;
        return;
      case COMMON_DRIVER_FEATURE:
        this.#session.writeDriverFeatures(this.#driverFeatureSelect, value);
        return;
      case COMMON_CONFIG_MSIX_VECTOR:
        this.#interrupts.configVector = value;
        return;
      case COMMON_DEVICE_STATUS:
        this.#session.writeStatus(value);
        if (value === 0) {
          this.#interrupts.reset();
          this.reset();
        }
        return;
      case COMMON_QUEUE_SELECT:
        this.#queueSelect = value;
        return;
      case COMMON_QUEUE_MSIX_VECTOR:
        this.#interrupts.setQueueVector(this.#queueSelect, value);
        return;
      default: {
        const queue = this.#session.queue(this.#queueSelect);
        if (queue !== undefined) this.#writeQueueField(queue, field, value);
      }
    }
  }

  #writeQueueField(queue: QueueSettings, field: number, value: number): void {
    switch (field) {
      case COMMON_QUEUE_SIZE:
        // "The driver MUST configure the other virtqueue fields before enabling the virtqueue".
        if (!queue.enabled) queue.size = value;
        return;
      case COMMON_QUEUE_ENABLE:
        // "The driver MUST NOT write a 0 to queue_enable": only a reset disables a queue.
        if (value === 1) queue.enable();
        return;
      case COMMON_QUEUE_DESC_LO:
        queue.writeAddress('descriptorArea', 0, value);
        return;
      case COMMON_QUEUE_DESC_HI:
        queue.writeAddress('descriptorArea', 1, value);
        return;
      case COMMON_QUEUE_DRIVER_LO:
        queue.writeAddress('driverArea', 0, value);
        return;
      case COMMON_QUEUE_DRIVER_HI:
        queue.writeAddress('driverArea', 1, value);
        return;
      case COMMON_QUEUE_DEVICE_LO:
        queue.writeAddress('deviceArea', 0, value);
        return;
      case COMMON_QUEUE_DEVICE_HI:
        queue.writeAddress('deviceArea', 1, value);
        return;
      case COMMON_QUEUE_RESET:
        if (value !== 1) return;
        queue.reset();
        // Without VIRTIO_F_RING_RESET the field does not exist, and the queue is as it was.
        if (queue.resetting || !queue.enabled)
          this.#interrupts.setQueueVector(queue.index, VIRTIO_MSI_NO_VECTOR);
    }
  }
}

function readQueueField(queue: QueueSettings, field: number): number {
  switch (field) {
    case COMMON_QUEUE_SIZE:
      return queue.size;
    case COMMON_QUEUE_ENABLE:
      return queue.enabled ? 1 : 0;
    case COMMON_QUEUE_NOTIFY_OFF:
    case COMMON_QUEUE_NOTIF_CONFIG_DATA:
      return queue.index;
    case COMMON_QUEUE_DESC_LO:
      return queue.readAddress('descriptorArea', 0);
    case COMMON_QUEUE_DESC_HI:
      return queue.readAddress('descriptorArea', 1);
    case COMMON_QUEUE_DRIVER_LO:
      return queue.readAddress('driverArea', 0);
    case COMMON_QUEUE_DRIVER_HI:
      return queue.readAddress('driverArea', 1);
    case COMMON_QUEUE_DEVICE_LO:
      return queue.readAddress('deviceArea', 0);
    case COMMON_QUEUE_DEVICE_HI:
      return queue.readAddress('deviceArea', 1);
    case COMMON_QUEUE_RESET:
      // "The device MUST continue to present 1 in queue_reset as long as the queue reset is ongoing."
      return queue.resetting ? 1 : 0;
    default:
      // We have no administration queues.
      return 0;
  }
}

function isNatural(offset: number, width: AccessWidth): boolean {
  return fieldWidth[offset] === width && fieldOffset[offset] === offset;
}
