/** Writes QEMU's command line: the machine with our functions in it, and the guest that boots on it. */
import type { Architecture } from './architecture.ts';
import type {
  MachineArguments,
  MachineType,
  SocketFunction,
} from './machine-types/machine-type.ts';
import { Q35 } from './machine-types/q35.ts';
import { VIRT } from './machine-types/virt.ts';
import { doubleCommas } from './qemu-text.ts';

const MACHINE_TYPES: Readonly<Record<Architecture, MachineType>> = { x86_64: Q35, arm64: VIRT };

/** Guest memory in MiB when nothing is said. */
export const DEFAULT_MEMORY_MEBIBYTES = 512;

/**
 * The arguments that put our functions into a machine. They say nothing of what boots on it: for users with a guest of
 * their own.
 *
 * The sockets must be listening before QEMU starts.
 */
export function machineArguments(machine: MachineArguments): string[] {
  const memory = machine.memoryMebibytes ?? DEFAULT_MEMORY_MEBIBYTES;
  const shared = machine.sharedMemory ?? true;
  const type = machineType(machine);
  return [
    '-machine',
    shared ? `${type.name},memory-backend=ram` : type.name,
    ...(shared ? ['-object', `memory-backend-memfd,id=ram,size=${memory}M,share=on`] : []),
    '-m',
    `${memory}`,
    ...type.arguments(machine),
    ...machine.functions.flatMap(({ bdf, socketPath }) => [
      '-device',
      JSON.stringify({
        driver: 'vfio-user-pci',
        addr: slot(bdf),
        ...(sharesSlot(bdf, machine.functions) ? { multifunction: true } : {}),
        socket: { type: 'unix', path: socketPath },
      }),
    ]),
    ...(machine.more ?? []),
  ];
}

/**
 * QEMU's own virtio-iommu, virtio-blk and virtio-net, to measure ours against. Addresses are as in {@link SocketFunction}.
 *
 * @param iommu address of the IOMMU
 * @param disks a raw image for each address
 * @param network a socket on which passt listens, if there is to be a network
 */
export function ownDeviceArguments(
  iommu: number,
  disks: readonly { readonly bdf: number; readonly path: string }[],
  network?: { readonly bdf: number; readonly socketPath: string },
): string[] {
  return [
    '-device',
    `virtio-iommu-pci,addr=${slot(iommu)}`,
    ...disks.flatMap(({ bdf, path }, index) => [
      '-drive',
      `file=${doubleCommas(path)},format=raw,if=none,id=own${index}`,
      '-device',
      `virtio-blk-pci,addr=${slot(bdf)},drive=own${index},iommu_platform=on,disable-legacy=on`,
    ]),
    ...(network === undefined
      ? []
      : [
          '-netdev',
          `stream,id=own,server=off,addr.type=unix,addr.path=${doubleCommas(network.socketPath)}`,
          '-device',
          // Without a ROM: nothing boots from the network.
          `virtio-net-pci,addr=${slot(network.bdf)},netdev=own,iommu_platform=on,disable-legacy=on,romfile=`,
        ]),
  ];
}

/** QEMU's own virtio-blk behind no IOMMU, for a q35. The address is as in {@link SocketFunction}. */
export function plainDiskArguments(bdf: number, path: string): string[] {
  return [
    '-drive',
    `file=${doubleCommas(path)},format=raw,if=none,id=plain`,
    '-device',
    `virtio-blk-pci,addr=${slot(bdf)},drive=plain,disable-legacy=on`,
  ];
}

export interface GuestArguments {
  readonly machine: MachineArguments;
  readonly kernel: string;
  readonly initramfs: string;
  /** What follows the console settings on the kernel command line, such as `iommu.strict=1`. */
  readonly append?: readonly string[];
  /** Whether QEMU restarts the guest when it reboots; without it QEMU exits. True when not given. */
  readonly reboots?: boolean;
}

/** The whole command line of a guest that boots a kernel and talks on its serial console. */
export function qemuArguments(guest: GuestArguments): string[] {
  return [
    ...machineArguments(guest.machine),
    // Emulation, not KVM: it is there on every machine, and figures from different machines can be compared.
    '-accel',
    'tcg',
    ...machineType(guest.machine).emulation,
    '-cpu',
    'max',
    '-nodefaults',
    '-display',
    'none',
    '-serial',
    'stdio',
    ...((guest.reboots ?? true) ? [] : ['-no-reboot']),
    '-kernel',
    guest.kernel,
    '-initrd',
    guest.initramfs,
    '-append',
    // panic=-1: a guest that panics reboots at once instead of waiting for the harness to lose patience.
    // deferred_probe_timeout: ten seconds after its drivers could be loaded, the kernel goes on without an IOMMU whose driver is
    // not; on a busy machine it takes longer to load it.
    [
      `console=${machineType(guest.machine).console}`,
      'quiet',
      'panic=-1',
      'deferred_probe_timeout=120',
      ...machineType(guest.machine).kernelParameters,
      ...(guest.append ?? []),
    ].join(' '),
  ];
}

/** The arguments as one line that a POSIX shell reads back as they are. */
export function shellText(args: readonly string[]): string {
  return args
    .map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`))
    .join(' ');
}

function machineType({ architecture = 'x86_64' }: MachineArguments): MachineType {
  return MACHINE_TYPES[architecture];
}

/** QEMU's form of an address: `0x5`, or `0x5.0x1` for a function other than 0. */
function slot(bdf: number): string {
  const device = `0x${(bdf >> 3).toString(16)}`;
  return (bdf & 7) === 0 ? device : `${device}.0x${(bdf & 7).toString(16)}`;
}

function sharesSlot(bdf: number, functions: readonly SocketFunction[]): boolean {
  return functions.some((other) => other.bdf !== bdf && other.bdf >> 3 === bdf >> 3);
}
