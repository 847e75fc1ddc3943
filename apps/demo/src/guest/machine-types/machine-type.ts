/** A machine of QEMU's, and what is particular to its type. Types and docs only. */
import type { Architecture } from '../architecture.ts';

/** One of our PCI functions, served on a UNIX socket. */
export interface SocketFunction {
  /** bus << 8 | device << 3 | function, on bus 0. */
  readonly bdf: number;
  readonly socketPath: string;
}

export interface MachineArguments {
  /** `x86_64` when not given. */
  readonly architecture?: Architecture;
  readonly functions: readonly SocketFunction[];
  /** A file with a complete ACPI VIOT, for x86_64. */
  readonly viotFile?: string;
  /** A file with the machine's device tree and the topology in it, for arm64: see `makeMachineTree`. */
  readonly deviceTreeFile?: string;
  /** Guest memory; 512 when not given. */
  readonly memoryMebibytes?: number;
  /** Whether the functions can map the guest's memory; true when not given. Without it each access is a message. */
  readonly sharedMemory?: boolean;
  /** Whether the functions reach memory before the guest's driver is up; true when not given. */
  readonly bootBypass?: boolean;
  /** Further arguments, such as devices of QEMU's own to compare with. */
  readonly more?: readonly string[];
}

export interface MachineType {
  /** QEMU's name for it, with the options that do not change. */
  readonly name: string;
  /** What the kernel calls the first serial port. */
  readonly console: string;
  /** What an emulated processor of it needs, as a KVM guest does not. */
  readonly emulation: readonly string[];
  /** What else a kernel has to be told on it. */
  readonly kernelParameters: readonly string[];
  /** Arguments that tell the guest of the topology, and its firmware how to boot. */
  arguments(machine: MachineArguments): string[];
}
