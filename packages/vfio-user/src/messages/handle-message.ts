/** Which handler answers which command. */
import { EINVAL, EOPNOTSUPP } from '@viommu/linux-io';
import {
  VFIO_USER_DEVICE_GET_INFO,
  VFIO_USER_DEVICE_GET_IRQ_INFO,
  VFIO_USER_DEVICE_GET_REGION_INFO,
  VFIO_USER_DEVICE_RESET,
  VFIO_USER_DEVICE_SET_IRQS,
  VFIO_USER_DMA_MAP,
  VFIO_USER_DMA_UNMAP,
  VFIO_USER_REGION_READ,
  VFIO_USER_REGION_WRITE,
  VFIO_USER_REGION_WRITE_MULTI,
  VFIO_USER_VERSION,
} from '../protocol/constants.ts';
import { deviceGetInfo } from './device-get-info.ts';
import { deviceGetIrqInfo } from './device-get-irq-info.ts';
import { deviceGetRegionInfo } from './device-get-region-info.ts';
import { deviceReset } from './device-reset.ts';
import { deviceSetIrqs } from './device-set-irqs.ts';
import { dmaMap } from './dma-map.ts';
import { dmaUnmap } from './dma-unmap.ts';
import type { MessageHandler, Reply, Request, Session } from './message.ts';
import { regionRead } from './region-read.ts';
import { regionWrite } from './region-write.ts';
import { regionWriteMulti } from './region-write-multi.ts';
import { version } from './version.ts';

const handlers: (MessageHandler | undefined)[] = [];
handlers[VFIO_USER_VERSION] = version;
handlers[VFIO_USER_DMA_MAP] = dmaMap;
handlers[VFIO_USER_DMA_UNMAP] = dmaUnmap;
handlers[VFIO_USER_DEVICE_GET_INFO] = deviceGetInfo;
handlers[VFIO_USER_DEVICE_GET_REGION_INFO] = deviceGetRegionInfo;
handlers[VFIO_USER_DEVICE_GET_IRQ_INFO] = deviceGetIrqInfo;
handlers[VFIO_USER_DEVICE_SET_IRQS] = deviceSetIrqs;
handlers[VFIO_USER_REGION_READ] = regionRead;
handlers[VFIO_USER_REGION_WRITE] = regionWrite;
handlers[VFIO_USER_REGION_WRITE_MULTI] = regionWriteMulti;
handlers[VFIO_USER_DEVICE_RESET] = deviceReset;

/** @returns as a {@link MessageHandler} does: EOPNOTSUPP for a command that is not ours, EINVAL before VFIO_USER_VERSION */
export function handleMessage(
  command: number,
  session: Session,
  request: Request,
  reply: Reply,
): number {
  const handler = handlers[command];
  if (handler === undefined) {
    return -EOPNOTSUPP;
  }
  // "This is the initial message sent by the client after the socket connection is established".
  if (!session.negotiated && handler !== version) {
    return -EINVAL;
  }
  return handler(session, request, reply);
}
