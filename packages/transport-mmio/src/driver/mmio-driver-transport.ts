/** MmioDriverTransport: how a driver brings up a virtio device behind a window of registers, as a kernel would. */
import { type AccessWidth, VirtioError } from '@viommu/virtqueue';
import type { DriverTransport, QueueAddresses } from '@viommu/virtqueue/driver';
import {
  CONFIG,
  CONFIG_GENERATION,
  DEVICE_FEATURES,
  DEVICE_FEATURES_SEL,
  DEVICE_ID,
  DRIVER_FEATURES,
  DRIVER_FEATURES_SEL,
  INTERRUPT_ACK,
  INTERRUPT_CONFIG_CHANGE,
  INTERRUPT_STATUS,
  INTERRUPT_USED_BUFFER,
  MAGIC,
  MAGIC_VALUE,
  MMIO_VERSION,
  QUEUE_DESC_LOW,
  QUEUE_DEVICE_LOW,
  QUEUE_DRIVER_LOW,
  QUEUE_NOTIFY,
  QUEUE_READY,
  QUEUE_RESET,
  QUEUE_SEL,
  QUEUE_SIZE,
  QUEUE_SIZE_MAX,
  STATUS,
  VERSION,
} from '../mmio-registers.ts';
import type { MmioDriverAccess } from './mmio-driver-access.ts';

export interface MmioDriverTransport extends DriverTransport {
  /**
   * What an interrupt handler does: reads InterruptStatus, and acknowledges what it knows ("Notifications From The Device").
   *
   * @returns bit 0 when buffers were used, bit 1 when the configuration has changed; 0 when another device interrupted
   */
  acknowledgeInterrupt(): number;

  /**
   * Stops using a queue without a reset; it can be enabled again.
   *
   * @throws VirtioError `RESET_TIMEOUT` when the device does not let go of it
   */
  stopQueue(index: number): void;
}

/**
 * Looks at what is behind a window.
 *
 * @throws VirtioError `NOT_VIRTIO` when this is no virtio-mmio window of version 2; `NO_DEVICE` for a placeholder, which is to
 * be passed over in silence
 */
export function createMmioDriverTransport(access: MmioDriverAccess): MmioDriverTransport {
  const magic = access.read(MAGIC_VALUE, 4);
  if (magic !== MAGIC) {
    throw new VirtioError(
      'NOT_VIRTIO',
      `the magic value is 0x${magic.toString(16)}, and not that of virtio: is the address of the window right?`,
    );
  }
  const version = access.read(VERSION, 4);
  if (version !== MMIO_VERSION) {
    throw new VirtioError(
      'NOT_VIRTIO',
      `a virtio-mmio device of version ${version}; this driver needs version 2`,
    );
  }
  const deviceId = access.read(DEVICE_ID, 4);
  if (deviceId === 0) {
    throw new VirtioError('NO_DEVICE', 'a placeholder without a device: go on to the next window');
  }
  return new WindowDriverTransport(access, deviceId);
}

const TWO_TO_32 = 2 ** 32;
const RESET_ATTEMPTS = 100_000;
/** As many as an index in QueueNotify can tell apart. */
const MAX_QUEUES = 0x1_0000;
const KNOWN_EVENTS = INTERRUPT_USED_BUFFER | INTERRUPT_CONFIG_CHANGE;

class WindowDriverTransport implements MmioDriverTransport {
  readonly deviceId: number;
  readonly queueCount: number;
  readonly #access: MmioDriverAccess;

  constructor(access: MmioDriverAccess, deviceId: number) {
    this.#access = access;
    this.deviceId = deviceId;
    // No register tells how many there are.
    let queueCount = 0;
    while (queueCount < MAX_QUEUES && this.queueMaxSize(queueCount) !== 0) queueCount++;
    this.queueCount = queueCount;
  }

  readStatus(): number {
    return this.#read(STATUS);
  }

  writeStatus(status: number): void {
    this.#write(STATUS, status);
    if (status !== 0) return;
    if (!this.#settles(() => this.readStatus() === 0)) {
      throw new VirtioError('RESET_TIMEOUT', 'the device does not come out of its reset');
    }
  }

  readDeviceFeatures(): bigint {
    this.#write(DEVICE_FEATURES_SEL, 0);
    const low = this.#read(DEVICE_FEATURES);
    this.#write(DEVICE_FEATURES_SEL, 1);
    return (BigInt(this.#read(DEVICE_FEATURES)) << 32n) | BigInt(low);
  }

  writeDriverFeatures(features: bigint): void {
    this.#write(DRIVER_FEATURES_SEL, 0);
    this.#write(DRIVER_FEATURES, Number(BigInt.asUintN(32, features)));
    this.#write(DRIVER_FEATURES_SEL, 1);
    this.#write(DRIVER_FEATURES, Number(BigInt.asUintN(32, features >> 32n)));
  }

  readConfigGeneration(): number {
    return this.#read(CONFIG_GENERATION);
  }

  readConfig(offset: number, width: AccessWidth): number {
    return this.#access.read(CONFIG + offset, width);
  }

  writeConfig(offset: number, width: AccessWidth, value: number): void {
    this.#access.write(CONFIG + offset, width, value);
  }

  queueMaxSize(index: number): number {
    this.#write(QUEUE_SEL, index);
    return this.#read(QUEUE_SIZE_MAX);
  }

  /** @throws VirtioError `QUEUE_IN_USE` when the queue is enabled already */
  enableQueue(index: number, addresses: QueueAddresses): void {
    this.#write(QUEUE_SEL, index);
    // "Check if the queue is not already in use".
    if (this.#read(QUEUE_READY) !== 0) {
      throw new VirtioError('QUEUE_IN_USE', `queue ${index} is in use: stop or reset it first`);
    }
    this.#write(QUEUE_SIZE, addresses.size);
    this.#writeAddress(QUEUE_DESC_LOW, addresses.descriptorArea);
    this.#writeAddress(QUEUE_DRIVER_LOW, addresses.driverArea);
    this.#writeAddress(QUEUE_DEVICE_LOW, addresses.deviceArea);
    this.#write(QUEUE_READY, 1);
  }

  resetQueue(index: number): void {
    this.#write(QUEUE_SEL, index);
    this.#write(QUEUE_RESET, 1);
    // "The device MUST present 0 in both QueueReset and QueueReady when queue reset has completed."
    if (!this.#settles(() => this.#read(QUEUE_RESET) === 0 && this.#read(QUEUE_READY) === 0)) {
      throw new VirtioError('RESET_TIMEOUT', `queue ${index} does not come out of its reset`);
    }
  }

  stopQueue(index: number): void {
    this.#write(QUEUE_SEL, index);
    this.#write(QUEUE_READY, 0);
    // "MUST read the value back to ensure synchronization".
    if (!this.#settles(() => this.#read(QUEUE_READY) === 0)) {
      throw new VirtioError('RESET_TIMEOUT', `the device does not let go of queue ${index}`);
    }
  }

  notifyQueue(index: number, next?: number): void {
    if (index >= this.queueCount) {
      throw new VirtioError('QUEUE_INDEX', `queue ${index}: the device has ${this.queueCount}`);
    }
    this.#write(QUEUE_NOTIFY, next === undefined ? index : ((next << 16) | index) >>> 0);
  }

  acknowledgeInterrupt(): number {
    // "The driver MUST ignore undefined bits in InterruptStatus", and must not acknowledge them.
    const events = this.#read(INTERRUPT_STATUS) & KNOWN_EVENTS;
    if (events !== 0) this.#write(INTERRUPT_ACK, events);
    return events;
  }

  #settles(isDone: () => boolean): boolean {
    for (let attempt = 0; attempt < RESET_ATTEMPTS; attempt++) {
      if (isDone()) return true;
    }
    return false;
  }

  #writeAddress(register: number, address: number): void {
    this.#write(register, address % TWO_TO_32);
    this.#write(register + 4, Math.floor(address / TWO_TO_32));
  }

  #read(register: number): number {
    return this.#access.read(register, 4);
  }

  #write(register: number, value: number): void {
    this.#access.write(register, 4, value);
  }
}
