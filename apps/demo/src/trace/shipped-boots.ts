/** The boots whose traces are in the repository: each small, together all that a machine can be made of. */
import { ENGINE_BDF } from '@viommu/machine';
import type { GuestStep } from '../guest/guest-steps.ts';
import type { PartChoice } from '../guest/part-choice.ts';

export interface ShippedBoot {
  /** Of the file, without its extension. */
  readonly name: string;
  /** What the machine is made of is that of the scenario. */
  readonly scenario: string;
  /** Which one under QEMU, or the one for v86. */
  readonly guest: Required<Pick<PartChoice, 'architecture' | 'linux'>> | 'v86';
  readonly steps: readonly GuestStep[];
}

const MEBIBYTE = 1 << 20;
const DISK: readonly GuestStep[] = [
  { step: 'report' },
  { step: 'read', disk: 'vda', offset: 0, length: MEBIBYTE },
  { step: 'numbered', disk: 'vda', count: 32 },
  { step: 'rng' },
];
const TWO_DISKS: readonly GuestStep[] = ['vda', 'vdb'].map((disk) => ({
  step: 'read',
  disk,
  offset: 0,
  length: MEBIBYTE,
}));

/** Bytes of each disk. */
export const SHIPPED_DISK_BYTES = 4 * MEBIBYTE;

export const SHIPPED_BOOTS: readonly ShippedBoot[] = [
  {
    name: 'x86_64-pci',
    scenario: 'disk',
    guest: { architecture: 'x86_64', linux: 'stable' },
    steps: DISK,
  },
  {
    name: 'x86_64-packed-backports',
    scenario: 'packed',
    guest: { architecture: 'x86_64', linux: 'backports' },
    steps: DISK,
  },
  {
    name: 'x86_64-mmio',
    scenario: 'mmio',
    guest: { architecture: 'x86_64', linux: 'stable' },
    steps: DISK,
  },
  {
    name: 'x86_64-passthrough',
    scenario: 'passthrough',
    guest: { architecture: 'x86_64', linux: 'stable' },
    steps: [{ step: 'report' }, { step: 'vfio', bdf: ENGINE_BDF }],
  },
  {
    name: 'x86_64-two-iommus',
    scenario: 'two-iommus',
    guest: { architecture: 'x86_64', linux: 'backports' },
    steps: TWO_DISKS,
  },
  {
    name: 'i386-v86',
    scenario: 'disk',
    guest: 'v86',
    steps: DISK,
  },
  {
    name: 'arm64-pci-backports',
    scenario: 'disk',
    guest: { architecture: 'arm64', linux: 'backports' },
    steps: DISK,
  },
  {
    name: 'arm64-mmio',
    scenario: 'mmio',
    guest: { architecture: 'arm64', linux: 'stable' },
    steps: DISK,
  },
];
