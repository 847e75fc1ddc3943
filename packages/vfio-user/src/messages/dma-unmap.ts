/** VFIO_USER_DMA_UNMAP: windows of guest memory go away. */
import { EINVAL } from '@viommu/linux-io';
import { VFIO_DMA_UNMAP_FLAG_ALL } from '../protocol/constants.ts';
import {
  DMA_UNMAP_ADDRESS,
  DMA_UNMAP_FLAGS,
  DMA_UNMAP_LENGTH,
  DMA_UNMAP_SIZE,
  HEADER_SIZE,
  readUint64,
} from '../protocol/layout.ts';
import type { MessageHandler } from './message.ts';

export const dmaUnmap: MessageHandler = (session, { view, bytes, size }, reply) => {
  const flags = view.getUint32(DMA_UNMAP_FLAGS, true);
  if (size !== DMA_UNMAP_SIZE || (flags & ~VFIO_DMA_UNMAP_FLAG_ALL) !== 0) {
    return -EINVAL;
  }
  if (flags === VFIO_DMA_UNMAP_FLAG_ALL) {
    session.memory.unmapAll();
  } else {
    const length = readUint64(view, DMA_UNMAP_LENGTH);
    if (length === 0) {
      return -EINVAL;
    }
    const errno = session.memory.unmap(readUint64(view, DMA_UNMAP_ADDRESS), length);
    if (errno !== 0) {
      return -errno;
    }
  }
  // "The server responds with the original DMA entry in the request."
  reply.bytes.set(bytes.subarray(HEADER_SIZE, DMA_UNMAP_SIZE), HEADER_SIZE);
  return DMA_UNMAP_SIZE;
};
