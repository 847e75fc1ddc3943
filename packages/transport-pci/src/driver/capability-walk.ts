/** Finds the structures of a virtio function by its capability list ("Virtio Structure PCI Capabilities"). */
import { VirtioError } from '@viommu/virtqueue';
import {
  PCI_CAP_ID_MSIX,
  PCI_CAP_ID_VNDR,
  PCI_DEVICE_ID,
  PCI_VENDOR_ID,
} from '../pci-constants.ts';
import {
  CAP_BAR,
  CAP_CFG_TYPE,
  CAP_LENGTH,
  CAP_NOTIFY_OFF_MULTIPLIER,
  CAP_OFFSET,
  COMMON_QUEUE_NOTIF_CONFIG_DATA,
  VIRTIO_PCI_CAP_COMMON_CFG,
  VIRTIO_PCI_CAP_DEVICE_CFG,
  VIRTIO_PCI_CAP_NOTIFY_CFG,
  VIRTIO_PCI_DEVICE_ID_BASE,
  VIRTIO_PCI_DEVICE_ID_LAST,
  VIRTIO_PCI_TRANSITIONAL_ID_BASE,
  VIRTIO_PCI_VENDOR_ID,
} from '../virtio/virtio-pci-constants.ts';
import { capabilityOffsets, type MsixStructure, readMsix } from './msix-driver.ts';
import type { PciDriverAccess } from './pci-driver-access.ts';

/** A structure in a BAR; offset and length in bytes. */
interface Structure {
  readonly bar: number;
  readonly offset: number;
  readonly length: number;
}

interface NotifyStructure extends Structure {
  readonly notifyOffMultiplier: number;
}

export interface VirtioStructures {
  /** Device type ("Device Types"). */
  readonly deviceId: number;
  readonly common: Structure;
  readonly notify: NotifyStructure;
  /** Absent when the device type has no device-specific configuration. */
  readonly device: Structure | undefined;
  readonly msix: MsixStructure | undefined;
}

const LAST_BAR = 5;
/** By Transitional PCI Device ID less 0x1000: the device type ("PCI Device Discovery"). */
const TRANSITIONAL_TYPES = [1, 2, 5, 3, 8, 4, undefined, undefined, undefined, 9];

/** @throws VirtioError `NOT_VIRTIO` or `VIRTIO_CAPABILITY` when this is no modern virtio function */
export function findStructures(access: PciDriverAccess): VirtioStructures {
  const deviceId = readDeviceId(access);
  const structures = new Map<number, Structure & { readonly capability: number }>();
  let msix: MsixStructure | undefined;
  for (const capability of capabilityOffsets(access)) {
    const id = access.readConfig(capability, 1);
    if (id === PCI_CAP_ID_MSIX) {
      msix = readMsix(access, capability);
    } else if (id === PCI_CAP_ID_VNDR) {
      const cfgType = access.readConfig(capability + CAP_CFG_TYPE, 1);
      const structure = readStructure(access, capability);
      // "The driver SHOULD use the first instance of each virtio structure type", and MUST ignore a reserved bar.
      if (!structures.has(cfgType) && structure.bar <= LAST_BAR) {
        structures.set(cfgType, { ...structure, capability });
      }
    }
  }
  const common = required(structures.get(VIRTIO_PCI_CAP_COMMON_CFG), 'common configuration');
  if (common.length < COMMON_QUEUE_NOTIF_CONFIG_DATA) {
    throw new VirtioError(
      'VIRTIO_CAPABILITY',
      `the common configuration has ${common.length} bytes, too few for a virtio 1 device`,
    );
  }
  const notify = required(structures.get(VIRTIO_PCI_CAP_NOTIFY_CFG), 'notification');
  return {
    deviceId,
    common,
    notify: {
      ...notify,
      notifyOffMultiplier: access.readConfig(notify.capability + CAP_NOTIFY_OFF_MULTIPLIER, 4),
    },
    device: structures.get(VIRTIO_PCI_CAP_DEVICE_CFG),
    msix,
  };
}

function readDeviceId(access: PciDriverAccess): number {
  const vendorId = access.readConfig(PCI_VENDOR_ID, 2);
  const deviceId = access.readConfig(PCI_DEVICE_ID, 2);
  const type = vendorId === VIRTIO_PCI_VENDOR_ID ? typeOf(deviceId) : undefined;
  if (type === undefined) {
    throw new VirtioError(
      'NOT_VIRTIO',
      `PCI function ${hex(vendorId)}:${hex(deviceId)} is no virtio device: those are 1af4:1000 to 1009 and 1af4:1040 to 107f`,
    );
  }
  return type;
}

/** A transitional device is taken by its modern structures; one that is legacy alone has none. */
function typeOf(deviceId: number): number | undefined {
  const isModern = deviceId >= VIRTIO_PCI_DEVICE_ID_BASE && deviceId <= VIRTIO_PCI_DEVICE_ID_LAST;
  return isModern
    ? deviceId - VIRTIO_PCI_DEVICE_ID_BASE
    : TRANSITIONAL_TYPES[deviceId - VIRTIO_PCI_TRANSITIONAL_ID_BASE];
}

function readStructure(access: PciDriverAccess, capability: number): Structure {
  return {
    bar: access.readConfig(capability + CAP_BAR, 1),
    offset: access.readConfig(capability + CAP_OFFSET, 4),
    length: access.readConfig(capability + CAP_LENGTH, 4),
  };
}

function required<T>(structure: T | undefined, name: string): T {
  if (structure === undefined) {
    throw new VirtioError(
      'VIRTIO_CAPABILITY',
      `no capability for the ${name} structure: this is a legacy device, or its capability list is broken`,
    );
  }
  return structure;
}

function hex(id: number): string {
  return id.toString(16).padStart(4, '0');
}
