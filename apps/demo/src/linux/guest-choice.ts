/** The contract ChosenGuest: a guest whose parts are there, under whatever it runs. Types and docs only. */
import type { Architecture } from '../guest/architecture.ts';
import type { LinuxMachine, LinuxMachineOptions } from './linux-machine.ts';

/** What a guest is, and runs in: what a result and a trace say of it. */
export interface RanIn {
  readonly vmm: 'QEMU' | 'v86';
  readonly version: string;
  readonly kernelRelease: string;
  readonly architecture: Architecture | 'i386';
}

/** A machine whose guest has not booted yet. */
type BootableMachine = Pick<LinuxMachine, 'disks' | 'download' | 'boot' | 'stop' | 'close'>;

export interface ChosenGuest {
  readonly ranIn: RanIn;
  createMachine(options: Omit<LinuxMachineOptions, 'parts'>): Promise<BootableMachine>;
}
