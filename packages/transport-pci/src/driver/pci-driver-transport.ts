/** PciDriverTransport: how a driver brings up a virtio device on a PCI bus, as a kernel would. */
import { type AccessWidth, VirtioError } from '@viommu/virtqueue';
import { VIRTIO_F_NOTIF_CONFIG_DATA } from '@viommu/virtqueue/device';
import type { DriverTransport, QueueAddresses } from '@viommu/virtqueue/driver';
import { PCI_COMMAND, PCI_COMMAND_MASTER, PCI_COMMAND_MEMORY } from '../pci-constants.ts';
import {
  COMMON_CONFIG_GENERATION,
  COMMON_CONFIG_MSIX_VECTOR,
  COMMON_DEVICE_FEATURE,
  COMMON_DEVICE_FEATURE_SELECT,
  COMMON_DEVICE_STATUS,
  COMMON_DRIVER_FEATURE,
  COMMON_DRIVER_FEATURE_SELECT,
  COMMON_NUM_QUEUES,
  COMMON_QUEUE_DESC_LO,
  COMMON_QUEUE_DEVICE_LO,
  COMMON_QUEUE_DRIVER_LO,
  COMMON_QUEUE_ENABLE,
  COMMON_QUEUE_MSIX_VECTOR,
  COMMON_QUEUE_NOTIF_CONFIG_DATA,
  COMMON_QUEUE_NOTIFY_OFF,
  COMMON_QUEUE_RESET,
  COMMON_QUEUE_SELECT,
  COMMON_QUEUE_SIZE,
} from '../virtio/virtio-pci-constants.ts';
import { findStructures, type VirtioStructures } from './capability-walk.ts';
import { enableMsix, type MsixMessage } from './msix-driver.ts';
import type { PciDriverAccess } from './pci-driver-access.ts';

export interface PciDriverTransport extends DriverTransport {
  /** Vectors of the function, 0 without MSI-X. */
  readonly msixVectors: number;

  /**
   * Has the device interrupt by messages: programs vector 0 for configuration changes and the vectors from 1 on for the
   * queues; queues beyond the last message share it, and a single message serves all. To be called before
   * {@link DriverTransport.enableQueue}; it holds across resets of the device.
   *
   * @param messages one per vector, at least one and at most {@link PciDriverTransport.msixVectors}
   * @throws VirtioError `MSIX_VECTORS` when the function has no such number of vectors, or refuses to map one
   */
  useMsix(messages: readonly MsixMessage[]): void;
}

/**
 * Finds the device behind a PCI function, and allows it memory accesses and bus mastering.
 *
 * @throws VirtioError `NOT_VIRTIO` when the function is none, `VIRTIO_CAPABILITY` when it lacks a structure
 */
export function createPciDriverTransport(access: PciDriverAccess): PciDriverTransport {
  const structures = findStructures(access);
  const command = access.readConfig(PCI_COMMAND, 2);
  access.writeConfig(PCI_COMMAND, 2, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
  return new ModernPciDriverTransport(access, structures);
}

const TWO_TO_32 = 2 ** 32;
const RESET_ATTEMPTS = 100_000;

class ModernPciDriverTransport implements PciDriverTransport {
  readonly deviceId: number;
  readonly queueCount: number;
  readonly configSize: number;
  readonly msixVectors: number;
  readonly transportFeatures = VIRTIO_F_NOTIF_CONFIG_DATA;
  readonly #access: PciDriverAccess;
  readonly #structures: VirtioStructures;
  /** By queue index, the offset of its Queue Notify address in the BAR. */
  readonly #notifyOffsets: readonly number[];
  /** By queue index, what a kick calls the queue. */
  readonly #notifyValues: number[];
  /** VIRTIO_F_NOTIF_CONFIG_DATA was accepted. */
  #usesNotifConfigData = false;
  #usedVectors = 0;

  constructor(access: PciDriverAccess, structures: VirtioStructures) {
    this.#access = access;
    this.#structures = structures;
    this.deviceId = structures.deviceId;
    this.configSize = structures.device?.length ?? 0;
    this.msixVectors = structures.msix?.vectors ?? 0;
    this.queueCount = this.#read(COMMON_NUM_QUEUES, 2);
    const { offset, notifyOffMultiplier } = structures.notify;
    this.#notifyOffsets = Array.from({ length: this.queueCount }, (_, index) => {
      this.#write(COMMON_QUEUE_SELECT, 2, index);
      return offset + this.#read(COMMON_QUEUE_NOTIFY_OFF, 2) * notifyOffMultiplier;
    });
    this.#notifyValues = this.#notifyOffsets.map((_, index) => index);
  }

  readStatus(): number {
    return this.#read(COMMON_DEVICE_STATUS, 1);
  }

  writeStatus(status: number): void {
    this.#write(COMMON_DEVICE_STATUS, 1, status);
    if (status !== 0) return;
    // "After writing 0 to device_status, the driver MUST wait for a read of device_status to return 0".
    for (let attempt = 0; attempt < RESET_ATTEMPTS; attempt++) {
      if (this.readStatus() === 0) {
        // The reset unmapped all vectors; queues get theirs when they are enabled.
        if (this.#usedVectors > 0) this.#mapVector(COMMON_CONFIG_MSIX_VECTOR, 0);
        return;
      }
    }
    throw new VirtioError('RESET_TIMEOUT', 'the device does not come out of its reset');
  }

  readDeviceFeatures(): bigint {
    this.#write(COMMON_DEVICE_FEATURE_SELECT, 4, 0);
    const low = this.#read(COMMON_DEVICE_FEATURE, 4);
    this.#write(COMMON_DEVICE_FEATURE_SELECT, 4, 1);
    return (BigInt(this.#read(COMMON_DEVICE_FEATURE, 4)) << 32n) | BigInt(low);
  }

  writeDriverFeatures(features: bigint): void {
    this.#usesNotifConfigData = (features & VIRTIO_F_NOTIF_CONFIG_DATA) !== 0n;
    this.#write(COMMON_DRIVER_FEATURE_SELECT, 4, 0);
    this.#write(COMMON_DRIVER_FEATURE, 4, Number(BigInt.asUintN(32, features)));
    this.#write(COMMON_DRIVER_FEATURE_SELECT, 4, 1);
    this.#write(COMMON_DRIVER_FEATURE, 4, Number(BigInt.asUintN(32, features >> 32n)));
  }

  readConfigGeneration(): number {
    return this.#read(COMMON_CONFIG_GENERATION, 1);
  }

  readConfig(offset: number, width: AccessWidth): number {
    const { bar, offset: start } = this.#deviceStructure;
    return this.#access.readBar(bar, start + offset, width);
  }

  writeConfig(offset: number, width: AccessWidth, value: number): void {
    const { bar, offset: start } = this.#deviceStructure;
    this.#access.writeBar(bar, start + offset, width, value);
  }

  queueMaxSize(index: number): number {
    this.#write(COMMON_QUEUE_SELECT, 2, index);
    return this.#read(COMMON_QUEUE_SIZE, 2);
  }

  enableQueue(index: number, addresses: QueueAddresses): void {
    this.#write(COMMON_QUEUE_SELECT, 2, index);
    this.#write(COMMON_QUEUE_SIZE, 2, addresses.size);
    this.#writeAddress(COMMON_QUEUE_DESC_LO, addresses.descriptorArea);
    this.#writeAddress(COMMON_QUEUE_DRIVER_LO, addresses.driverArea);
    this.#writeAddress(COMMON_QUEUE_DEVICE_LO, addresses.deviceArea);
    if (this.#usedVectors > 0) {
      this.#mapVector(COMMON_QUEUE_MSIX_VECTOR, Math.min(index + 1, this.#usedVectors - 1));
    }
    // "The driver will use this value when driver sends available buffer notification to the device."
    this.#notifyValues[index] = this.#usesNotifConfigData
      ? this.#read(COMMON_QUEUE_NOTIF_CONFIG_DATA, 2)
      : index;
    this.#write(COMMON_QUEUE_ENABLE, 2, 1);
  }

  resetQueue(index: number): void {
    this.#write(COMMON_QUEUE_SELECT, 2, index);
    this.#write(COMMON_QUEUE_RESET, 2, 1);
    // "Virtqueue Reset": complete when queue_reset reads 0 again, and queue_enable with it.
    for (let attempt = 0; attempt < RESET_ATTEMPTS; attempt++) {
      if (this.#read(COMMON_QUEUE_RESET, 2) === 0 && this.#read(COMMON_QUEUE_ENABLE, 2) === 0) {
        return;
      }
    }
    throw new VirtioError('RESET_TIMEOUT', `queue ${index} does not come out of its reset`);
  }

  notifyQueue(index: number, next?: number): void {
    const offset = this.#notifyOffsets[index];
    if (offset === undefined) {
      throw new VirtioError('QUEUE_INDEX', `queue ${index}: the device has ${this.queueCount}`);
    }
    const { bar } = this.#structures.notify;
    const value = this.#notifyValues[index]!;
    if (next === undefined) this.#access.writeBar(bar, offset, 2, value);
    else this.#access.writeBar(bar, offset, 4, ((next << 16) | value) >>> 0);
  }

  useMsix(messages: readonly MsixMessage[]): void {
    enableMsix(this.#access, messages);
    this.#mapVector(COMMON_CONFIG_MSIX_VECTOR, 0);
    this.#usedVectors = messages.length;
  }

  /** "After mapping an event to vector, the driver MUST verify success by reading the Vector field value". */
  #mapVector(field: number, vector: number): void {
    this.#write(field, 2, vector);
    if (this.#read(field, 2) !== vector) {
      throw new VirtioError('MSIX_VECTORS', `the device refuses to map MSI-X vector ${vector}`);
    }
  }

  get #deviceStructure() {
    const { device } = this.#structures;
    if (device === undefined) {
      throw new VirtioError('NO_DEVICE_CONFIG', 'this device has no device-specific configuration');
    }
    return device;
  }

  #writeAddress(field: number, address: number): void {
    this.#write(field, 4, lowHalf(address));
    this.#write(field + 4, 4, highHalf(address));
  }

  #read(field: number, width: AccessWidth): number {
    const { bar, offset } = this.#structures.common;
    return this.#access.readBar(bar, offset + field, width);
  }

  #write(field: number, width: AccessWidth, value: number): void {
    const { bar, offset } = this.#structures.common;
    this.#access.writeBar(bar, offset + field, width, value);
  }
}

function lowHalf(address: number): number {
  return address % TWO_TO_32;
}

function highHalf(address: number): number {
  return Math.floor(address / TWO_TO_32);
}
