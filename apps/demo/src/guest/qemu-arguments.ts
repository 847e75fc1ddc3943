/** Writes QEMU's command line: the machine with our functions in it, and the guest that boots on it. */
/** One of our PCI functions, served on a UNIX socket. */
interface SocketFunction {
  /** bus << 8 | device << 3 | function, on bus 0. */
  readonly bdf: number;
  readonly socketPath: string;
}

export interface MachineArguments {
  readonly functions: readonly SocketFunction[];
  /** A file with a complete ACPI VIOT. */
  readonly viotFile?: string;
  /** Guest memory; 512 when not given. */
  readonly memoryMebibytes?: number;
  /** Whether the functions can map the guest's memory; true when not given. Without it each access is a message. */
  readonly sharedMemory?: boolean;
  /** Whether the functions reach memory before the guest's driver is up; true when not given. */
  readonly bootBypass?: boolean;
  /** Further arguments, such as devices of QEMU's own to compare with. */
  readonly more?: readonly string[];
}

/**
 * The arguments that put our functions into a machine. They say nothing of what boots on it: for users with a guest of
 * their own.
 *
 * The sockets must be listening before QEMU starts.
 */
export function machineArguments(machine: MachineArguments): string[] {
  const memory = machine.memoryMebibytes ?? 512;
  const shared = machine.sharedMemory ?? true;
  return [
    '-machine',
    shared ? 'q35,memory-backend=ram' : 'q35',
    ...(shared ? ['-object', `memory-backend-memfd,id=ram,size=${memory}M,share=on`] : []),
    '-m',
    `${memory}`,
    // Firmware waits for ever for a disk that cannot reach memory; "strict" has it leave alone what it need not boot from.
    ...((machine.bootBypass ?? true) ? [] : ['-boot', 'strict=on']),
    ...(machine.viotFile === undefined
      ? []
      : ['-acpitable', `file=${doubleCommas(machine.viotFile)}`]),
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
 * QEMU's own virtio-iommu and virtio-blk, to measure ours against.
 *
 * @param iommu address of the IOMMU, as in {@link SocketFunction}
 * @param disks a raw image for each address
 */
export function ownDeviceArguments(
  iommu: number,
  disks: readonly { readonly bdf: number; readonly path: string }[],
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
    ['console=ttyS0', 'quiet', 'panic=-1', ...(guest.append ?? [])].join(' '),
  ];
}

/** The arguments as one line that a POSIX shell reads back as they are. */
export function shellText(args: readonly string[]): string {
  return args
    .map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`))
    .join(' ');
}

/** QEMU's form of an address: `0x5`, or `0x5.0x1` for a function other than 0. */
function slot(bdf: number): string {
  const device = `0x${(bdf >> 3).toString(16)}`;
  return (bdf & 7) === 0 ? device : `${device}.0x${(bdf & 7).toString(16)}`;
}

function sharesSlot(bdf: number, functions: readonly SocketFunction[]): boolean {
  return functions.some((other) => other.bdf !== bdf && other.bdf >> 3 === bdf >> 3);
}

/** In QEMU's comma-separated options a comma of a value is doubled. */
function doubleCommas(value: string): string {
  return value.replaceAll(',', ',,');
}
