/** ControlRegisters: the 32-bit registers below the configuration ("MMIO Device Register Layout"). */
import type { DeviceSession, QueueSettings } from '@viommu/virtqueue/device';
import { VIRTIO_F_NOTIFICATION_DATA } from '@viommu/virtqueue/device';
import type { SnapshotReader } from '@viommu/virtqueue/snapshot';
import type { MmioInterrupts } from './mmio-interrupts.ts';
import {
  CONFIG_GENERATION,
  DEVICE_FEATURES,
  DEVICE_FEATURES_SEL,
  DEVICE_ID,
  DRIVER_FEATURES,
  DRIVER_FEATURES_SEL,
  INTERRUPT_ACK,
  INTERRUPT_STATUS,
  MAGIC,
  MAGIC_VALUE,
  MMIO_VERSION,
  QUEUE_DESC_HIGH,
  QUEUE_DESC_LOW,
  QUEUE_DEVICE_HIGH,
  QUEUE_DEVICE_LOW,
  QUEUE_DRIVER_HIGH,
  QUEUE_DRIVER_LOW,
  QUEUE_NOTIFY,
  QUEUE_READY,
  QUEUE_RESET,
  QUEUE_SEL,
  QUEUE_SIZE,
  QUEUE_SIZE_MAX,
  SHM_BASE_HIGH,
  SHM_BASE_LOW,
  SHM_LEN_HIGH,
  SHM_LEN_LOW,
  STATUS,
  VENDOR_ID,
  VERSION,
} from './mmio-registers.ts';

/** The word of the driver's features that has VIRTIO_F_NOTIFICATION_DATA, and its bit there. */
const NOTIFICATION_DATA_WORD = 1;
const NOTIFICATION_DATA_BIT = Number(VIRTIO_F_NOTIFICATION_DATA >> 32n);
const VQ_INDEX_MASK = 0xffff;
const ALL_ONES = 0xffff_ffff;

/** What the driver selected. */
export interface MmioSelections {
  readonly deviceFeaturesSel: number;
  readonly driverFeaturesSel: number;
  readonly queueSel: number;
}

export class ControlRegisters {
  readonly #session: DeviceSession;
  readonly #interrupts: MmioInterrupts;
  readonly #vendorId: number;
  #deviceFeaturesSel = 0;
  #driverFeaturesSel = 0;
  #queueSel = 0;

  constructor(session: DeviceSession, interrupts: MmioInterrupts, vendorId: number) {
    this.#session = session;
    this.#interrupts = interrupts;
    this.#vendorId = vendorId;
  }

  /** Forgets the selections; the rest of the registers is reset with the session and the interrupts. */
  reset(): void {
    this.#deviceFeaturesSel = 0;
    this.#driverFeaturesSel = 0;
    this.#queueSel = 0;
  }

  snapshot(): MmioSelections {
    return {
      deviceFeaturesSel: this.#deviceFeaturesSel,
      driverFeaturesSel: this.#driverFeaturesSel,
      queueSel: this.#queueSel,
    };
  }

  /** @returns what brings the selections back @throws VirtioError `SNAPSHOT` */
  prepareRestore(snapshot: SnapshotReader): () => void {
    const deviceFeaturesSel = snapshot.field('deviceFeaturesSel').integer(0, ALL_ONES);
    const driverFeaturesSel = snapshot.field('driverFeaturesSel').integer(0, ALL_ONES);
    const queueSel = snapshot.field('queueSel').integer(0, ALL_ONES);
    return () => {
      this.#deviceFeaturesSel = deviceFeaturesSel;
      this.#driverFeaturesSel = driverFeaturesSel;
      this.#queueSel = queueSel;
    };
  }

  /** A register that can only be written reads as 0. */
  read(register: number): number {
    switch (register) {
      case MAGIC_VALUE:
        return MAGIC;
      case VERSION:
        return MMIO_VERSION;
      case DEVICE_ID:
        return this.#session.device.deviceId;
      case VENDOR_ID:
        return this.#vendorId;
      case DEVICE_FEATURES:
        return this.#session.readDeviceFeatures(this.#deviceFeaturesSel);
      case QUEUE_SIZE_MAX:
        return this.#session.queue(this.#queueSel)?.maxSize ?? 0;
      case QUEUE_READY:
        return this.#session.queue(this.#queueSel)?.enabled ? 1 : 0;
      case QUEUE_RESET:
        return this.#session.queue(this.#queueSel)?.resetting ? 1 : 0;
      case INTERRUPT_STATUS:
        return this.#interrupts.readStatus();
      case STATUS:
        return this.#session.status;
      case SHM_LEN_LOW:
      case SHM_LEN_HIGH:
      case SHM_BASE_LOW:
      case SHM_BASE_HIGH:
        // "Reading from a non-existent region … results in a length of -1"; no device here has one.
        return ALL_ONES;
      case CONFIG_GENERATION:
        return this.#session.configGeneration >>> 0;
      default:
        return 0;
    }
  }

  write(register: number, value: number): void {
    switch (register) {
      case DEVICE_FEATURES_SEL:
        this.#deviceFeaturesSel = value;
        return;
      case DRIVER_FEATURES:
        this.#session.writeDriverFeatures(this.#driverFeaturesSel, value);
        return;
      case DRIVER_FEATURES_SEL:
        this.#driverFeaturesSel = value;
        return;
      case QUEUE_SEL:
        this.#queueSel = value;
        return;
      case QUEUE_NOTIFY:
        this.#session.notify(this.#hasNotificationData ? value & VQ_INDEX_MASK : value);
        return;
      case INTERRUPT_ACK:
        this.#interrupts.acknowledge(value);
        return;
      case STATUS:
        this.#session.writeStatus(value);
        if (value === 0) {
          this.#interrupts.reset();
          this.reset();
        }
        return;
      default: {
        const queue = this.#session.queue(this.#queueSel);
        if (queue !== undefined) writeQueueRegister(queue, register, value);
      }
    }
  }

  get #hasNotificationData(): boolean {
    const features = this.#session.readDriverFeatures(NOTIFICATION_DATA_WORD);
    return (features & NOTIFICATION_DATA_BIT) !== 0;
  }
}

function writeQueueRegister(queue: QueueSettings, register: number, value: number): void {
  switch (register) {
    case QUEUE_SIZE:
      // "When QueueReady is not zero, the driver MUST NOT access QueueSize".
      if (!queue.enabled) queue.size = value;
      return;
    case QUEUE_READY:
      if (value === 1) queue.enable();
      // "The device MUST NOT access virtqueue contents when QueueReady is zero".
      else if (value === 0) queue.disable();
      return;
    case QUEUE_DESC_LOW:
      queue.writeAddress('descriptorArea', 0, value);
      return;
    case QUEUE_DESC_HIGH:
      queue.writeAddress('descriptorArea', 1, value);
      return;
    case QUEUE_DRIVER_LOW:
      queue.writeAddress('driverArea', 0, value);
      return;
    case QUEUE_DRIVER_HIGH:
      queue.writeAddress('driverArea', 1, value);
      return;
    case QUEUE_DEVICE_LOW:
      queue.writeAddress('deviceArea', 0, value);
      return;
    case QUEUE_DEVICE_HIGH:
      queue.writeAddress('deviceArea', 1, value);
      return;
    case QUEUE_RESET:
      // Without VIRTIO_F_RING_RESET the session leaves the queue as it was.
      if (value === 1) queue.reset();
  }
}
