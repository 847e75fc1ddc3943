/** QEMU's q35, a PC: firmware boots it and hands the kernel ACPI tables. */
import { doubleCommas } from '../qemu-text.ts';
import type { MachineType } from './machine-type.ts';

export const Q35: MachineType = {
  name: 'q35',
  console: 'ttyS0',
  // With one processor and no place for a second, QEMU carries out instructions with a lock prefix as plain ones, and Linux' barrier
  // on x86 is one of them. Then "is a kick needed?" can be read before the buffer is there for others to see: the guest does not
  // kick, the device does not look again, and both wait for ever. One boot of some hundreds stood still, presumably so.
  emulation: ['-smp', '1,maxcpus=2'],
  // An emulated timer is late on a host that does much else, and Linux panics when it checks it then.
  kernelParameters: ['no_timer_check'],
  arguments: ({ viotFile, bootBypass = true }) => [
    // Firmware waits for ever for a disk that cannot reach memory; "strict" has it leave alone what it need not boot from.
    ...(bootBypass ? [] : ['-boot', 'strict=on']),
    ...(viotFile === undefined ? [] : ['-acpitable', `file=${doubleCommas(viotFile)}`]),
  ],
};
