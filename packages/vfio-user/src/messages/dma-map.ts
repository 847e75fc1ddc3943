/** VFIO_USER_DMA_MAP: a window of guest memory, with a file descriptor when the client shares it. */
import { EINVAL } from '@viommu/linux-io';
import { VFIO_USER_DMA_FLAG_READ, VFIO_USER_DMA_FLAG_WRITE } from '../protocol/constants.ts';
import {
  DMA_MAP_ADDRESS,
  DMA_MAP_FLAGS,
  DMA_MAP_LENGTH,
  DMA_MAP_OFFSET,
  DMA_MAP_SIZE,
  HEADER_SIZE,
  readUint64,
} from '../protocol/layout.ts';
import type { MessageHandler } from './message.ts';

const KNOWN_FLAGS = VFIO_USER_DMA_FLAG_READ | VFIO_USER_DMA_FLAG_WRITE;

export const dmaMap: MessageHandler = (session, { view, size, fds }) => {
  const flags = view.getUint32(DMA_MAP_FLAGS, true);
  if (size !== DMA_MAP_SIZE || fds.count > 1 || (flags & ~KNOWN_FLAGS) !== 0) {
    return -EINVAL;
  }
  const errno = session.memory.map(
    readUint64(view, DMA_MAP_ADDRESS),
    readUint64(view, DMA_MAP_LENGTH),
    flags,
    fds.count === 1 ? fds.peek(0) : undefined,
    readUint64(view, DMA_MAP_OFFSET),
  );
  return errno === 0 ? HEADER_SIZE : -errno;
};
