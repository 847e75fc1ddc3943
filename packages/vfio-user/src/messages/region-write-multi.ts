/** VFIO_USER_REGION_WRITE_MULTI: QEMU gathers posted writes when its queue is long. */
import { EINVAL } from '@viommu/linux-io';
import { MAX_MULTI_WRITES } from '../protocol/constants.ts';
import {
  REGION_ACCESS_COUNT,
  REGION_ACCESS_OFFSET,
  REGION_ACCESS_REGION,
  readUint64,
  WRITE_MULTI_COUNT,
  WRITE_MULTI_ENTRIES,
  WRITE_MULTI_ENTRY_DATA,
  WRITE_MULTI_ENTRY_MAX_DATA,
  WRITE_MULTI_ENTRY_SIZE,
  writeUint64,
} from '../protocol/layout.ts';
import type { MessageHandler } from './message.ts';
import { isInRegion, writeRegion } from './region-access.ts';

export const regionWriteMulti: MessageHandler = ({ pciFunction }, { view, size }, reply) => {
  const writes = size < WRITE_MULTI_ENTRIES ? 0 : readUint64(view, WRITE_MULTI_COUNT);
  if (
    writes === 0 ||
    writes > MAX_MULTI_WRITES ||
    size !== WRITE_MULTI_ENTRIES + writes * WRITE_MULTI_ENTRY_SIZE
  ) {
    return -EINVAL;
  }
  for (let at = WRITE_MULTI_ENTRIES; at < size; at += WRITE_MULTI_ENTRY_SIZE) {
    // The fields of an entry are those of a region access without its header.
    const fields = at - REGION_ACCESS_OFFSET;
    const offset = readUint64(view, fields + REGION_ACCESS_OFFSET);
    const region = view.getUint32(fields + REGION_ACCESS_REGION, true);
    const count = view.getUint32(fields + REGION_ACCESS_COUNT, true);
    if (count > WRITE_MULTI_ENTRY_MAX_DATA || !isInRegion(pciFunction, region, offset, count)) {
      return -EINVAL;
    }
    writeRegion(pciFunction, region, offset, count, view, at + WRITE_MULTI_ENTRY_DATA);
  }
  writeUint64(reply.view, WRITE_MULTI_COUNT, writes);
  return WRITE_MULTI_ENTRIES;
};
