/** VFIO_USER_DEVICE_RESET: as after power-on. QEMU sends it at each reset of the machine. */
import { EINVAL } from '@viommu/linux-io';
import { HEADER_SIZE } from '../protocol/layout.ts';
import type { MessageHandler } from './message.ts';

export const deviceReset: MessageHandler = ({ pciFunction, interrupts }, { size }) => {
  if (size !== HEADER_SIZE) {
    return -EINVAL;
  }
  pciFunction.reset();
  interrupts.reset();
  return HEADER_SIZE;
};
