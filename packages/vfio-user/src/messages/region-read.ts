/** VFIO_USER_REGION_READ: the guest reads registers or configuration space. */
import { EINVAL } from '@viommu/linux-io';
import { MAX_DATA_XFER_SIZE } from '../protocol/constants.ts';
import {
  REGION_ACCESS_COUNT,
  REGION_ACCESS_DATA,
  REGION_ACCESS_OFFSET,
  REGION_ACCESS_REGION,
  REGION_ACCESS_SIZE,
  readUint64,
  writeUint64,
} from '../protocol/layout.ts';
import type { MessageHandler } from './message.ts';
import { isInRegion, readRegion } from './region-access.ts';

export const regionRead: MessageHandler = ({ pciFunction }, { view, size }, reply) => {
  const offset = readUint64(view, REGION_ACCESS_OFFSET);
  const region = view.getUint32(REGION_ACCESS_REGION, true);
  const count = view.getUint32(REGION_ACCESS_COUNT, true);
  if (
    size !== REGION_ACCESS_SIZE ||
    count > MAX_DATA_XFER_SIZE ||
    !isInRegion(pciFunction, region, offset, count)
  ) {
    return -EINVAL;
  }
  readRegion(pciFunction, region, offset, count, reply.view, REGION_ACCESS_DATA);
  writeUint64(reply.view, REGION_ACCESS_OFFSET, offset);
  reply.view.setUint32(REGION_ACCESS_REGION, region, true);
  reply.view.setUint32(REGION_ACCESS_COUNT, count, true);
  return REGION_ACCESS_DATA + count;
};
