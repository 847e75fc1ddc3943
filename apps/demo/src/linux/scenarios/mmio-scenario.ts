/** The scenario `mmio`: devices behind virtio-mmio registers, in windows of a PCI function's BAR; the IOMMU too, where a guest finds it there. */

import type { MachineDescription, Place } from '@viommu/machine';
import { formatBdf } from '@viommu/viot';
import { STANDARD_MODULES } from '../../guest/kernel-modules.ts';
import type { MachineSetting } from '../linux-machine.ts';
import { checkDisks } from './disk-checks.ts';
import type { Scenario, ScenarioJudgement, ScenarioOutcome } from './scenario.ts';
import { SMALL_DISK_BYTES, SMALL_DISK_STEPS } from './small-disk.ts';

const IOMMU_BDF = 0x20;
/** Of the windows of the devices, and of the one of the IOMMU. */
const WINDOWS_BDFS = [0x30, 0x38] as const;
/** No PCI function has these endpoint IDs here. */
const DISK_ENDPOINT = 0x1000;
const RNG_ENDPOINT = 0x1001;
const VIRTIO_ID_IOMMU = '23';

export const MMIO_SCENARIO: Scenario = {
  name: 'mmio',
  summary: 'a disk behind virtio-mmio registers; on arm64 the IOMMU, too',
  machine: { diskBytes: [SMALL_DISK_BYTES], describe, load: [...STANDARD_MODULES, 'virtio_mmio'] },
  steps: () => [...SMALL_DISK_STEPS, { step: 'interrupts' }],
  faults: 0,
  parts: {},
  judge,
};

function describe(setting: MachineSetting): MachineDescription {
  const { disks, msiWindows, windowsIdentity, findsIommuInWindow } = setting;
  const inWindow = (window: number): Place => ({ bus: 'mmio', windows: 0, window });
  // A function of its own: on a line that is shared, its handler would be asked at each interrupt of the disk.
  const place: Place = findsIommuInWindow
    ? { bus: 'mmio', windows: 1, window: 0 }
    : { bus: 'pci', bdf: IOMMU_BDF };
  return {
    iommus: [{ place, bootBypass: true }],
    devices: [
      {
        kind: 'disk',
        ...{ place: inWindow(0), iommu: 0, endpoint: DISK_ENDPOINT },
        path: disks[0]!,
        readOnly: false,
      },
      { kind: 'rng', place: inWindow(1), iommu: 0, endpoint: RNG_ENDPOINT },
    ],
    windows: WINDOWS_BDFS.slice(0, findsIommuInWindow ? 2 : 1).map((bdf) => ({
      bdf,
      ...windowsIdentity,
    })),
    msiWindows,
  };
}

function judge(outcome: ScenarioOutcome): ScenarioJudgement {
  const boot = outcome.run.report.boots[0];
  const isPlatformDevice = (address: string): boolean => !address.startsWith('0000:');
  const devices = boot?.virtio.filter(({ address }) => isPlatformDevice(address)) ?? [];
  const groups = boot?.iommuGroups.flatMap((group) => group.devices) ?? [];
  const behind = devices.filter(({ address }) => groups.includes(address));
  const addresses = windowAddresses(outcome);
  const interrupts = boot?.interrupts.reduce((total, { count }) => total + count, 0) ?? 0;
  const hex = (address: number): string => `0x${address.toString(16)}`;
  return {
    checks: [
      ...checkDisks(outcome),
      {
        holds: addresses.length > 0 && addresses.every(({ address }) => address !== 0),
        text: `the guest has the windows ${addresses.map(({ bdf, address }) => `of ${bdf} at ${hex(address)}`).join(', ') || 'nowhere'}`,
      },
      {
        holds: behind.length === 2,
        text: `${behind.length} platform devices are behind the IOMMU: ${behind.map(({ address }) => address).join(' and ') || 'none'}`,
      },
      {
        holds: boot?.rng !== undefined && /^[0-9a-f]{128}$/.test(boot.rng.hex),
        text: `${(boot?.rng?.hex.length ?? 0) / 2} random bytes from ${boot?.rng?.source ?? 'nowhere'}`,
      },
      { holds: interrupts > 0, text: `${interrupts} interrupts` },
    ],
    facts: {
      mmio: {
        windows: addresses,
        devices: devices.map(({ address, id }) => ({
          device: address,
          id: Number(id),
          behindIommu: groups.includes(address),
        })),
        iommuInWindow: devices.some(({ id }) => id === VIRTIO_ID_IOMMU),
        interrupts,
      },
    },
    lines: [],
  };
}

/** Where each function with windows was last; a guest that is over has taken nothing back. */
function windowAddresses({ messages }: ScenarioOutcome): { bdf: string; address: number }[] {
  const last = new Map<number, number>();
  for (const message of messages) {
    if (message.type === 'windowsAddress' && message.address !== 0) {
      last.set(message.windows, message.address);
    }
  }
  return [...last].map(([index, address]) => ({ bdf: formatBdf(WINDOWS_BDFS[index]!), address }));
}
