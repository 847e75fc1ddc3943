/** The machine that the commands make when they are not told otherwise: one IOMMU, and behind it what is asked for. */

import type { DeviceDescription, MachineDescription, MsiWindow } from './machine-description.ts';
import { macOf, pciDisk, pciEndpoint } from './pci-endpoint.ts';

/** Where x86 machines send message-signalled interrupts. */
export const X86_MSI_WINDOWS: readonly MsiWindow[] = [{ start: 0xfee0_0000, end: 0xfeef_ffff }];

const IOMMU_BDF = 0x20;
const DISK_BDFS = [0x28, 0x38] as const;
const RNG_BDF = 0x30;
/** Where the DMA engine is. */
export const ENGINE_BDF = 0x40;
/** Where the virtio-net is. */
export const NET_BDF = 0x48;

export interface StandardMachineOptions {
  /** Files, at most two; the first is the guest's vda. */
  readonly disks: readonly string[];
  /** Whether the disks are write-protected; false when not given. */
  readonly readOnly?: boolean;
  /** Whether there is a virtio-rng; true when not given. */
  readonly rng?: boolean;
  /** Whether there is a DMA engine that is passed through; false when not given. */
  readonly engine?: boolean;
  /** A socket on which passt listens, when there is a virtio-net. */
  readonly network?: string;
  /** True when not given. */
  readonly bootBypass?: boolean;
  readonly pageSizeMask?: bigint;
  /** Whether every device offers VIRTIO_F_RING_PACKED; false when not given. */
  readonly packed?: boolean;
  /** Those of x86 when not given. */
  readonly msiWindows?: readonly MsiWindow[];
}

export function standardMachine(options: StandardMachineOptions): MachineDescription {
  const { disks, readOnly, rng = true, engine = false, network } = options;
  const { bootBypass = true, pageSizeMask } = options;
  const devices: DeviceDescription[] = disks.map((path, index) =>
    pciDisk(DISK_BDFS[index]!, path, readOnly),
  );
  if (rng) devices.push({ kind: 'rng', ...pciEndpoint(RNG_BDF) });
  if (engine) devices.push({ kind: 'engine', ...pciEndpoint(ENGINE_BDF) });
  if (network !== undefined) {
    const connected = { network: 'stream', target: network, mac: macOf(NET_BDF) } as const;
    devices.push({ kind: 'net', ...pciEndpoint(NET_BDF), ...connected });
  }
  return {
    iommus: [
      {
        place: { bus: 'pci', bdf: IOMMU_BDF },
        bootBypass,
        ...(pageSizeMask === undefined ? {} : { pageSizeMask }),
      },
    ],
    devices,
    packed: options.packed ?? false,
    msiWindows: options.msiWindows ?? X86_MSI_WINDOWS,
  };
}
