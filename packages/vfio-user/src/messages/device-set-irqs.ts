/** VFIO_USER_DEVICE_SET_IRQS: sets and takes away eventfds, masks, unmasks and triggers. */

import { constants, fstatSync } from 'node:fs';
import { EINVAL } from '@viommu/linux-io';
import type { Interrupts } from '../interrupts.ts';
import {
  VFIO_IRQ_SET_ACTION_MASK,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_ACTION_TYPE_MASK,
  VFIO_IRQ_SET_ACTION_UNMASK,
  VFIO_IRQ_SET_DATA_BOOL,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_IRQ_SET_DATA_TYPE_MASK,
  VFIO_PCI_INTX_IRQ_INDEX,
  VFIO_PCI_MSIX_IRQ_INDEX,
  VFIO_PCI_NUM_IRQS,
} from '../protocol/constants.ts';
import {
  HEADER_SIZE,
  SET_IRQS_COUNT,
  SET_IRQS_DATA,
  SET_IRQS_FLAGS,
  SET_IRQS_INDEX,
  SET_IRQS_SIZE,
  SET_IRQS_START,
} from '../protocol/layout.ts';
import { irqCount } from './device-get-irq-info.ts';
import type { MessageHandler, Request } from './message.ts';

export const deviceSetIrqs: MessageHandler = ({ interrupts }, request) => {
  const { view, size } = request;
  if (size < SET_IRQS_SIZE) {
    return -EINVAL;
  }
  const flags = view.getUint32(SET_IRQS_FLAGS, true);
  const index = view.getUint32(SET_IRQS_INDEX, true);
  const start = view.getUint32(SET_IRQS_START, true);
  const count = view.getUint32(SET_IRQS_COUNT, true);
  const data = flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
  const action = flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
  if (index >= VFIO_PCI_NUM_IRQS || flags !== (data | action)) {
    return -EINVAL;
  }
  // "A count (and start) of 0, with data flags of VFIO_IRQ_SET_DATA_NONE disables all interrupts of the index."
  if (data === VFIO_IRQ_SET_DATA_NONE && action === VFIO_IRQ_SET_ACTION_TRIGGER && count === 0) {
    return start === 0 ? disable(interrupts, index) : -EINVAL;
  }
  if (start + count > irqCount(interrupts, index)) {
    return -EINVAL;
  }
  const dataSize = data === VFIO_IRQ_SET_DATA_BOOL ? count : 0;
  if (size !== SET_IRQS_SIZE + dataSize) {
    return -EINVAL;
  }
  if (data === VFIO_IRQ_SET_DATA_EVENTFD) {
    return setEventfds(interrupts, request, action, index, start, count);
  }
  if (data !== VFIO_IRQ_SET_DATA_NONE && data !== VFIO_IRQ_SET_DATA_BOOL) {
    return -EINVAL;
  }
  for (let item = 0; item < count; item++) {
    const wanted = data === VFIO_IRQ_SET_DATA_NONE || view.getUint8(SET_IRQS_DATA + item) !== 0;
    if (wanted && !act(interrupts, action, index, start + item)) {
      return -EINVAL;
    }
  }
  return HEADER_SIZE;
};

function disable(interrupts: Interrupts, index: number): number {
  if (index === VFIO_PCI_INTX_IRQ_INDEX) {
    interrupts.setIntxEventfd();
  } else if (index === VFIO_PCI_MSIX_IRQ_INDEX) {
    interrupts.disableMsix();
  }
  return HEADER_SIZE;
}

function setEventfds(
  interrupts: Interrupts,
  { fds }: Request,
  action: number,
  index: number,
  start: number,
  count: number,
): number {
  // "If no file descriptors are provided, this de-assigns the specified previously configured interrupts." QEMU enables
  // MSI-X so, before any vector has an eventfd.
  if (action !== VFIO_IRQ_SET_ACTION_TRIGGER || (fds.count !== 0 && fds.count !== count)) {
    return -EINVAL;
  }
  for (let item = 0; item < fds.count; item++) {
    if (!isAnonymousInode(fds.peek(item))) return -EINVAL;
  }
  for (let item = 0; item < count; item++) {
    const fd = fds.count === 0 ? undefined : fds.take(item);
    if (index === VFIO_PCI_INTX_IRQ_INDEX) {
      interrupts.setIntxEventfd(fd);
    } else {
      interrupts.setMsixEventfd(start + item, fd);
    }
  }
  return HEADER_SIZE;
}

/**
 * An eventfd is an inode without a type, and so are only things to which a write does nothing or is refused. A file's write
 * could wait for whoever serves its file system, and stop every function.
 */
function isAnonymousInode(fd: number): boolean {
  return (fstatSync(fd).mode & constants.S_IFMT) === 0;
}

/** @returns false when this kind of interrupt cannot do that */
function act(interrupts: Interrupts, action: number, index: number, vector: number): boolean {
  if (index === VFIO_PCI_MSIX_IRQ_INDEX) {
    if (action === VFIO_IRQ_SET_ACTION_TRIGGER) {
      interrupts.signalMsix(vector);
      return true;
    }
    return false;
  }
  switch (action) {
    case VFIO_IRQ_SET_ACTION_MASK:
      interrupts.maskIntx();
      return true;
    case VFIO_IRQ_SET_ACTION_UNMASK:
      interrupts.unmaskIntx();
      return true;
    case VFIO_IRQ_SET_ACTION_TRIGGER:
      interrupts.triggerIntx();
      return true;
    default:
      return false;
  }
}
