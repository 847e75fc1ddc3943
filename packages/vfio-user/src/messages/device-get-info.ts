/** VFIO_USER_DEVICE_GET_INFO: a PCI device that can be reset. */
import { EINVAL } from '@viommu/linux-io';
import {
  VFIO_DEVICE_FLAGS_PCI,
  VFIO_DEVICE_FLAGS_RESET,
  VFIO_PCI_NUM_IRQS,
  VFIO_PCI_NUM_REGIONS,
} from '../protocol/constants.ts';
import {
  DEVICE_INFO_NUM_IRQS,
  DEVICE_INFO_NUM_REGIONS,
  DEVICE_INFO_SIZE,
  HEADER_SIZE,
  INFO_ARGSZ,
  INFO_FLAGS,
} from '../protocol/layout.ts';
import type { MessageHandler } from './message.ts';

export const deviceGetInfo: MessageHandler = (_session, { size }, { view }) => {
  if (size !== DEVICE_INFO_SIZE) {
    return -EINVAL;
  }
  view.setUint32(INFO_ARGSZ, DEVICE_INFO_SIZE - HEADER_SIZE, true);
  view.setUint32(INFO_FLAGS, VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI, true);
  view.setUint32(DEVICE_INFO_NUM_REGIONS, VFIO_PCI_NUM_REGIONS, true);
  view.setUint32(DEVICE_INFO_NUM_IRQS, VFIO_PCI_NUM_IRQS, true);
  return DEVICE_INFO_SIZE;
};
