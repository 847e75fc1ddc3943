/** QEMU's virt, an Arm machine of no vendor: no firmware, the kernel is handed a device tree. */
import { doubleCommas } from '../qemu-text.ts';
import type { MachineType } from './machine-type.ts';

export const VIRT: MachineType = {
  // The version of the interrupt controller has a say in where messages for interrupts are written.
  name: 'virt,gic-version=3',
  console: 'ttyAMA0',
  emulation: [],
  kernelParameters: [],
  arguments: ({ deviceTreeFile }) => (deviceTreeFile === undefined ? [] : ['-dtb', deviceTreeFile]),
};

/**
 * The arguments that have QEMU write down the device tree that it would hand to the kernel, and end. Functions on the PCI
 * bus are not in it.
 *
 * @param file where to write the tree, as a flattened one (DTB)
 */
export function dumpTreeArguments(file: string, memoryMebibytes: number): string[] {
  return [
    ...['-machine', `${VIRT.name},dumpdtb=${doubleCommas(file)}`],
    ...['-m', `${memoryMebibytes}`, '-cpu', 'max', '-nodefaults', '-display', 'none'],
  ];
}
