/** The vendor capabilities that tell a driver where the structures of a virtio function are. */
import type { PciConfigSpace } from '../config-space.ts';
import { PCI_CAP_ID_VNDR } from '../pci-constants.ts';
import {
  CAP_BAR,
  CAP_CFG_TYPE,
  CAP_LEN,
  CAP_LENGTH,
  CAP_NOTIFY_OFF_MULTIPLIER,
  CAP_OFFSET,
  CAP_PCI_CFG_DATA,
  CAP_SIZE,
  COMMON_SIZE,
  VIRTIO_PCI_CAP_COMMON_CFG,
  VIRTIO_PCI_CAP_DEVICE_CFG,
  VIRTIO_PCI_CAP_ISR_CFG,
  VIRTIO_PCI_CAP_NOTIFY_CFG,
  VIRTIO_PCI_CAP_PCI_CFG,
} from './virtio-pci-constants.ts';

/** The BAR of all structures. Each has a page of its own, so that a VMM can map, trap or forward it alone. */
export const STRUCTURES_BAR = 0;
export const STRUCTURES_BAR_SIZE = 0x4000;
export const STRUCTURE_PAGE_SIZE = 0x1000;
export const COMMON_OFFSET = 0x0000;
export const ISR_OFFSET = 0x1000;
export const DEVICE_OFFSET = 0x2000;
export const NOTIFY_OFFSET = 0x3000;

/** "Notification capability": an even power of two; queue_notify_off is the queue's index. */
export const NOTIFY_OFF_MULTIPLIER = 4;

/**
 * Adds the five capabilities; without a device-specific configuration only four.
 *
 * @returns the offset of the PCI configuration access capability
 */
export function addVirtioCapabilities(
  config: PciConfigSpace,
  queueCount: number,
  configSize: number,
): number {
  addStructure(config, VIRTIO_PCI_CAP_COMMON_CFG, COMMON_OFFSET, COMMON_SIZE);

  const notify = capability(CAP_SIZE + 4, VIRTIO_PCI_CAP_NOTIFY_CFG);
  notify.setUint32(CAP_OFFSET, NOTIFY_OFFSET, true);
  notify.setUint32(CAP_LENGTH, Math.max(queueCount, 1) * NOTIFY_OFF_MULTIPLIER, true);
  notify.setUint32(CAP_NOTIFY_OFF_MULTIPLIER, NOTIFY_OFF_MULTIPLIER, true);
  config.addCapability(PCI_CAP_ID_VNDR, bodyOf(notify));

  addStructure(config, VIRTIO_PCI_CAP_ISR_CFG, ISR_OFFSET, 1);
  if (configSize > 0) {
    addStructure(config, VIRTIO_PCI_CAP_DEVICE_CFG, DEVICE_OFFSET, configSize);
  }

  const access = capability(CAP_SIZE + 4, VIRTIO_PCI_CAP_PCI_CFG);
  // "PCI configuration access capability": cap.bar, cap.length, cap.offset and pci_cfg_data are read-write.
  const writable = new DataView(new ArrayBuffer(access.byteLength));
  writable.setUint8(CAP_BAR, 0xff);
  writable.setUint32(CAP_OFFSET, 0xffffffff, true);
  writable.setUint32(CAP_LENGTH, 0xffffffff, true);
  writable.setUint32(CAP_PCI_CFG_DATA, 0xffffffff, true);
  return config.addCapability(PCI_CAP_ID_VNDR, bodyOf(access), bodyOf(writable));
}

function addStructure(
  config: PciConfigSpace,
  cfgType: number,
  offset: number,
  length: number,
): void {
  const structure = capability(CAP_SIZE, cfgType);
  structure.setUint8(CAP_BAR, STRUCTURES_BAR);
  structure.setUint32(CAP_OFFSET, offset, true);
  structure.setUint32(CAP_LENGTH, length, true);
  config.addCapability(PCI_CAP_ID_VNDR, bodyOf(structure));
}

function capability(size: number, cfgType: number): DataView {
  const fields = new DataView(new ArrayBuffer(size));
  fields.setUint8(CAP_LEN, size);
  fields.setUint8(CAP_CFG_TYPE, cfgType);
  return fields;
}

/** Without the ID and the next pointer, which configuration space adds. */
function bodyOf(fields: DataView): Uint8Array {
  return new Uint8Array(fields.buffer, 2);
}
