/** VFIO_USER_DEVICE_GET_REGION_INFO: the size of a BAR or of configuration space. No region can be mapped by the client. */
import { EINVAL } from '@viommu/linux-io';
import {
  VFIO_PCI_NUM_REGIONS,
  VFIO_REGION_INFO_FLAG_READ,
  VFIO_REGION_INFO_FLAG_WRITE,
} from '../protocol/constants.ts';
import {
  HEADER_SIZE,
  INFO_ARGSZ,
  INFO_FLAGS,
  INFO_INDEX,
  REGION_INFO_CAP_OFFSET,
  REGION_INFO_LENGTH,
  REGION_INFO_OFFSET,
  REGION_INFO_SIZE,
  writeUint64,
} from '../protocol/layout.ts';
import type { MessageHandler } from './message.ts';
import { regionSize } from './region-access.ts';

export const deviceGetRegionInfo: MessageHandler = (session, request, { view }) => {
  const index = request.view.getUint32(INFO_INDEX, true);
  if (request.size !== REGION_INFO_SIZE || index >= VFIO_PCI_NUM_REGIONS) {
    return -EINVAL;
  }
  const length = regionSize(session.pciFunction, index);
  const flags = length === 0 ? 0 : VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
  view.setUint32(INFO_ARGSZ, REGION_INFO_SIZE - HEADER_SIZE, true);
  view.setUint32(INFO_FLAGS, flags, true);
  view.setUint32(INFO_INDEX, index, true);
  view.setUint32(REGION_INFO_CAP_OFFSET, 0, true);
  writeUint64(view, REGION_INFO_LENGTH, length);
  writeUint64(view, REGION_INFO_OFFSET, 0);
  return REGION_INFO_SIZE;
};
