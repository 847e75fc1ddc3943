/** Finds the structures of a virtio function by its capability list ("Virtio Structure PCI Capabilities"). */
import { VirtioError } from '@viommu/virtqueue';
import {
  PCI_CAP_ID_MSIX,
  PCI_CAP_ID_VNDR,
  PCI_CAPABILITY_LIST,
  PCI_CONFIG_SPACE_SIZE,
  PCI_DEVICE_ID,
  PCI_MSIX_FLAGS,
  PCI_MSIX_FLAGS_QSIZE,
  PCI_MSIX_TABLE,
  PCI_STATUS,
  PCI_STATUS_CAP_LIST,
  PCI_STD_HEADER_SIZE,
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
  VIRTIO_PCI_VENDOR_ID,
} from '../virtio/virtio-pci-constants.ts';
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

interface MsixStructure {
  /** Offset of the capability in configuration space. */
  readonly capability: number;
  readonly vectors: number;
  readonly tableBar: number;
  readonly tableOffset: number;
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
  if (
    vendorId !== VIRTIO_PCI_VENDOR_ID ||
    deviceId < VIRTIO_PCI_DEVICE_ID_BASE ||
    deviceId > VIRTIO_PCI_DEVICE_ID_LAST
  ) {
    throw new VirtioError(
      'NOT_VIRTIO',
      `PCI function ${hex(vendorId)}:${hex(deviceId)} is no modern virtio device: those are 1af4:1040 to 1af4:107f`,
    );
  }
  return deviceId - VIRTIO_PCI_DEVICE_ID_BASE;
}

/** Each capability once, even when a broken function links its list into a loop. */
function capabilityOffsets(access: PciDriverAccess): Set<number> {
  const offsets = new Set<number>();
  if ((access.readConfig(PCI_STATUS, 2) & PCI_STATUS_CAP_LIST) === 0) return offsets;
  let offset = access.readConfig(PCI_CAPABILITY_LIST, 1) & ~3;
  while (offset >= PCI_STD_HEADER_SIZE && offset < PCI_CONFIG_SPACE_SIZE && !offsets.has(offset)) {
    offsets.add(offset);
    offset = access.readConfig(offset + 1, 1) & ~3;
  }
  return offsets;
}

function readStructure(access: PciDriverAccess, capability: number): Structure {
  return {
    bar: access.readConfig(capability + CAP_BAR, 1),
    offset: access.readConfig(capability + CAP_OFFSET, 4),
    length: access.readConfig(capability + CAP_LENGTH, 4),
  };
}

function readMsix(access: PciDriverAccess, capability: number): MsixStructure {
  const table = access.readConfig(capability + PCI_MSIX_TABLE, 4);
  const control = access.readConfig(capability + PCI_MSIX_FLAGS, 2);
  return {
    capability,
    vectors: (control & PCI_MSIX_FLAGS_QSIZE) + 1,
    tableBar: table & 7,
    tableOffset: (table & ~7) >>> 0,
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
