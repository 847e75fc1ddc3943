/** VFIO_USER_DEVICE_GET_IRQ_INFO: how many INTx lines and MSI-X vectors there are. */

import { EINVAL } from '@viommu/linux-io';
import type { Interrupts } from '../interrupts.ts';
import {
  VFIO_IRQ_INFO_AUTOMASKED,
  VFIO_IRQ_INFO_EVENTFD,
  VFIO_IRQ_INFO_MASKABLE,
  VFIO_IRQ_INFO_NORESIZE,
  VFIO_PCI_INTX_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
  VFIO_PCI_NUM_IRQS,
} from '../protocol/constants.ts';
import {
  HEADER_SIZE,
  INFO_ARGSZ,
  INFO_FLAGS,
  INFO_INDEX,
  IRQ_INFO_COUNT,
  IRQ_INFO_SIZE,
} from '../protocol/layout.ts';
import type { MessageHandler } from './message.ts';

export const deviceGetIrqInfo: MessageHandler = (session, request, { view }) => {
  const index = request.view.getUint32(INFO_INDEX, true);
  if (request.size !== IRQ_INFO_SIZE || index >= VFIO_PCI_NUM_IRQS) {
    return -EINVAL;
  }
  view.setUint32(INFO_ARGSZ, IRQ_INFO_SIZE - HEADER_SIZE, true);
  view.setUint32(INFO_FLAGS, irqFlags(index), true);
  view.setUint32(INFO_INDEX, index, true);
  view.setUint32(IRQ_INFO_COUNT, irqCount(session.interrupts, index), true);
  return IRQ_INFO_SIZE;
};

export function irqCount(interrupts: Interrupts, index: number): number {
  switch (index) {
    case VFIO_PCI_INTX_IRQ_INDEX:
      return interrupts.intxCount;
    case VFIO_PCI_MSIX_IRQ_INDEX:
      return interrupts.msixCount;
    default:
      return 0;
  }
}

function irqFlags(index: number): number {
  switch (index) {
    case VFIO_PCI_INTX_IRQ_INDEX:
      return VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
    case VFIO_PCI_MSIX_IRQ_INDEX:
      return VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
    default:
      return 0;
  }
}
