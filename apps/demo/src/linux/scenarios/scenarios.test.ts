/** Each scenario is judged by what was seen: all holds for a run that went well, and every check fails for one that did not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sha256OfRange } from '../disk-image.ts';
import { judge } from '../linux-result.ts';
import type { ScenarioOutcome } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

const MEBIBYTE = 1 << 20;
const DISK_BYTES = 2 * MEBIBYTE;
const RAN_IN = {
  vmm: 'QEMU',
  version: '11.1.3',
  kernelRelease: '6.12.1',
  architecture: 'x86_64',
} as const;

/** What a test may change. */
type Mutable<T> = T extends object ? { -readonly [Key in keyof T]: Mutable<T[Key]> } : T;
type Outcome = Mutable<ScenarioOutcome>;
type Change = (outcome: Outcome) => void;

let folder: string;
let disks: string[];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
  disks = [0, 1].map((index) => {
    const path = join(folder, `disk${index}.img`);
    writeFileSync(path, new Uint8Array(DISK_BYTES).fill(index + 1));
    return path;
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

const bootOf = ({ run }: Outcome) => run.report.boots[0]!;
const count = (map: number) => ({ attach: 2, detach: 0, map, unmap: map - 1, probe: 2 });

/** A guest with an IOMMU and a disk for each path, whose disk steps all went well. */
function goodOutcome(paths: readonly string[]): Outcome {
  const reads = paths.map((path, index) => ({
    ...{ disk: `vd${'ab'[index]}`, offset: 0, length: DISK_BYTES },
    sha256: sha256OfRange(path, 0, DISK_BYTES),
  }));
  const writes = paths.map((path, index) => ({
    ...{ disk: `vd${'ab'[index]}`, offset: MEBIBYTE, length: MEBIBYTE },
    sha256: sha256OfRange(path, MEBIBYTE, MEBIBYTE),
  }));
  const iommus = paths.map(() => ({ requests: count(9), faults: 0 }));
  const outcome = {
    run: {
      report: {
        boots: [
          {
            ...{ kernel: '6.12.1', finished: true, pci: [], disks: [], log: [], timings: [] },
            virtio: iommus.map((_, index) => ({
              ...{ address: `0000:00:0${index}.0`, id: '23', driver: 'virtio_iommu' },
            })),
            iommuGroups: paths.map((_, group) => ({
              ...{ group, type: 'DMA-FQ', devices: [`0000:00:1${group}.0`], reserved: [] },
            })),
            ...{ reads, writes, interrupts: [], fetches: [] },
          },
        ],
        ...{ errors: [], done: true },
      },
      ...{ seconds: 1, tail: [] },
    },
    statistics: {
      ...{ iommus, requests: count(9 * iommus.length), faults: 0 },
      endpoints: paths.map((_, index) => ({
        ...{ iommu: index, endpoint: 0x28, device: `00:1${index}.0` },
        ...{ translatedBytes: 100, bypassedBytes: 7, bypassedAfterAttach: 0 },
      })),
      isolation: { checked: 5, strayed: 0, refused: 1 },
    },
    ...{ messages: [], disks: [...paths], download: undefined },
  };
  return outcome as unknown as Outcome;
}

/** What has to fail in every scenario, but for its DMA. */
const common: Change[] = [
  ({ run }) => {
    run.problem = 'the guest did not finish';
  },
  (outcome) => {
    delete bootOf(outcome).virtio[0]!.driver;
  },
  (outcome) => {
    bootOf(outcome).iommuGroups.pop();
  },
  ({ statistics }) => {
    statistics.faults += 1;
  },
];
const translating: Change[] = [
  ({ statistics }) => {
    for (const endpoint of statistics.endpoints) endpoint.translatedBytes = 0;
  },
  ({ statistics }) => {
    statistics.endpoints[0]!.bypassedAfterAttach = 1;
  },
];
const eachDisk: Change[] = [
  (outcome) => {
    for (const write of bootOf(outcome).writes) write.sha256 = 'f'.repeat(64);
  },
  (outcome) => {
    bootOf(outcome).reads.length = 0;
  },
];

/** By scenario: what else its run needs to have gone well, and what makes its own checks fail. */
const CASES: Record<string, { disks: number; good: Change; bad: Change[] }> = {
  disk: {
    disks: 1,
    good() {},
    bad: [
      ...translating,
      ...eachDisk,
      ({ statistics }) => {
        statistics.requests.map = 0;
      },
    ],
  },
  'two-iommus': {
    disks: 2,
    good({ messages }) {
      for (const iommu of [0, 1]) {
        const device = `00:1${iommu}.0`;
        messages.push({
          type: 'attached',
          iommu,
          endpoint: 0x28,
          device,
          domain: 0,
          bypass: false,
        });
      }
    },
    bad: [
      ...translating,
      ...eachDisk,
      ({ messages }) => {
        messages.pop();
      },
      ({ statistics }) => {
        statistics.iommus[1]!.requests.map = 0;
      },
      ({ statistics }) => {
        statistics.isolation.strayed = 1;
      },
    ],
  },
  network: {
    disks: 1,
    good(outcome) {
      const download = { bytes: 32 * MEBIBYTE, sha256: 'd'.repeat(64) };
      outcome.download = { url: 'http://10.0.2.2:1/', ...download };
      bootOf(outcome).fetches.push({ ...outcome.download, seconds: 1, disk: 'vda', diskBytes: 9 });
      const net = { iommu: 0, endpoint: 0x48, device: '00:09.0', translatedBytes: 33 * MEBIBYTE };
      outcome.statistics.endpoints.push({ ...net, bypassedBytes: 0, bypassedAfterAttach: 0 });
      bootOf(outcome).iommuGroups[0]!.devices.push('0000:00:09.0');
    },
    bad: [
      ...translating,
      ...eachDisk,
      (outcome) => {
        bootOf(outcome).fetches[0]!.sha256 = 'e'.repeat(64);
      },
      (outcome) => {
        bootOf(outcome).fetches[0]!.diskBytes = 0;
      },
      ({ statistics }) => {
        statistics.endpoints[1]!.translatedBytes = 31 * MEBIBYTE;
      },
    ],
  },
  mmio: {
    disks: 1,
    good(outcome) {
      const boot = bootOf(outcome);
      for (const [index, id] of ['2', '4'].entries()) {
        boot.virtio.push({ address: `LNRO0005:0${index}`, id, driver: 'virtio' });
      }
      boot.iommuGroups[0]!.devices = ['LNRO0005:00', 'LNRO0005:01'];
      outcome.statistics.endpoints.push({ ...outcome.statistics.endpoints[0]!, endpoint: 0x1001 });
      boot.rng = { source: 'virtio_rng.0', hex: '0f'.repeat(64) };
      boot.interrupts.push({ name: 'virtio1', controller: 'IO-APIC', count: 3 });
      outcome.messages.push({ type: 'windowsAddress', windows: 0, address: 0xfebfc000 });
    },
    bad: [
      ...translating,
      ...eachDisk,
      ({ messages }) => {
        messages.length = 0;
      },
      (outcome) => {
        bootOf(outcome).iommuGroups[0]!.devices = ['LNRO0005:00', 'LNRO0005:07'];
      },
      (outcome) => {
        bootOf(outcome).rng!.hex = '0f';
      },
      (outcome) => {
        bootOf(outcome).interrupts.length = 0;
      },
    ],
  },
  packed: {
    disks: 1,
    good(outcome) {
      const features = `${'0'.repeat(34)}1${'0'.repeat(29)}`;
      const boot = bootOf(outcome);
      for (const id of ['2', '4']) boot.virtio.push({ address: id, id, driver: 'virtio' });
      for (const device of boot.virtio) device.features = features;
    },
    bad: [
      ...translating,
      ...eachDisk,
      (outcome) => {
        bootOf(outcome).virtio[1]!.features = '0'.repeat(64);
      },
    ],
  },
  identity: {
    disks: 1,
    good(outcome) {
      for (const group of bootOf(outcome).iommuGroups) group.type = 'identity';
      for (const endpoint of outcome.statistics.endpoints) {
        Object.assign(endpoint, { translatedBytes: 0, bypassedAfterAttach: 100 });
      }
      outcome.statistics.requests.map = 0;
      outcome.messages.push({
        ...{ type: 'attached', iommu: 0, endpoint: 0x28, device: '00:10.0' },
        ...{ domain: 0, bypass: true },
      });
    },
    bad: [
      ...eachDisk,
      (outcome) => {
        bootOf(outcome).iommuGroups[0]!.type = 'DMA';
      },
      ({ messages }) => {
        messages.length = 0;
      },
      ({ messages }) => {
        Object.assign(messages[0]!, { bypass: false });
      },
      ({ statistics }) => {
        statistics.requests.map = 1;
      },
      ({ statistics }) => {
        statistics.endpoints[0]!.translatedBytes = 1;
      },
      ({ statistics }) => {
        for (const endpoint of statistics.endpoints) endpoint.bypassedAfterAttach = 0;
      },
    ],
  },
  stray: {
    disks: 1,
    good(outcome) {
      const boot = bootOf(outcome);
      boot.log.push('virtio_iommu virtio0: page fault from EP 48 at 0x12345000 [R]');
      boot.log.push('virtio_iommu virtio0: page fault from EP 48 at 0xdead0000 [W]');
      boot.rng = { source: 'virtio_rng.0', hex: '0f'.repeat(64) };
      const fault = { iommu: 0, endpoint: 0x30, device: '00:06.0', reason: 2, delivered: true };
      outcome.statistics.faults = 2;
      outcome.messages.push(
        { type: 'fault', ...fault, access: 1, address: 0x1234_5000 },
        { type: 'fault', ...fault, access: 2, address: 0xdead_0000 },
      );
    },
    bad: [
      ...translating,
      ...eachDisk,
      ({ messages }) => {
        messages.length = 0;
      },
      ({ messages }) => {
        for (const fault of messages) Object.assign(fault, { delivered: false });
      },
      (outcome) => {
        bootOf(outcome).log.pop();
      },
      (outcome) => {
        bootOf(outcome).rng!.hex = '0f';
      },
    ],
  },
  passthrough: {
    disks: 1,
    good(outcome) {
      const boot = bootOf(outcome);
      const [iova, end] = [0x7f00_0000_0000, 0x7f00_0000_0fff];
      const copy = { destination: iova + 0x800, length: 0x800, interrupts: 1, equal: true };
      boot.vfio = {
        ...{ group: 2, device: '0000:00:08.0', vectors: 1, unmapped: 0x1000 },
        map: { virtualAddress: iova, iova, length: 0x1000 },
        copies: [
          { ...copy, source: iova, status: 2, errorAddress: 0 },
          { ...copy, source: end + 1, status: 3, errorAddress: end + 1 },
          { ...copy, source: iova, status: 3, errorAddress: iova },
        ],
      };
      for (const at of [end + 1, iova]) {
        boot.log.push(`virtio_iommu: page fault from EP 64 at 0x${at.toString(16)} [R]`);
        const fault = { iommu: 0, endpoint: 0x40, device: '00:08.0', reason: 2, access: 1 };
        outcome.messages.push({ type: 'fault', ...fault, address: at, delivered: true });
      }
      outcome.statistics.faults = 2;
      const endpoint = 0x40;
      outcome.messages.push(
        { type: 'guestMapped', domain: 4, virtStart: iova, virtEnd: end, physStart: 0x1000_0000 },
        {
          ...{ type: 'hostMapped', endpoint, iova, iovaEnd: end },
          ...{ userAddress: 0x5500_0000_0000, hostPhysical: 0x10_0000_0000 },
        },
        { type: 'engineStarted', endpoint, source: iova, destination: iova + 0x800, length: 0x800 },
        {
          ...{ type: 'engineAccess', endpoint, address: iova, length: 0x800, access: 1 },
          hostPhysical: 0x10_0000_0000,
        },
      );
    },
    bad: [
      ...translating,
      (outcome) => {
        bootOf(outcome).vfio!.copies.pop();
      },
      (outcome) => {
        bootOf(outcome).vfio!.map!.virtualAddress += 0x1000;
      },
      (outcome) => {
        bootOf(outcome).vfio!.copies[0]!.equal = false;
      },
      (outcome) => {
        bootOf(outcome).vfio!.vectors = 0;
      },
      ({ messages }) => {
        const access = messages.find((message) => message.type === 'engineAccess');
        if (access?.type === 'engineAccess') access.hostPhysical += 0x1000;
      },
      (outcome) => {
        bootOf(outcome).vfio!.copies[1]!.errorAddress = 0;
      },
      (outcome) => {
        bootOf(outcome).vfio!.unmapped = 0;
      },
      (outcome) => {
        bootOf(outcome).log.pop();
      },
    ],
  },
};

it('has a case for every scenario', () => {
  expect(Object.keys(CASES).sort()).toEqual(SCENARIOS.map(({ name }) => name).sort());
});

it.each(SCENARIOS)('$name: every check holds, and every check can fail', (scenario) => {
  const { disks: diskCount, good, bad } = CASES[scenario.name]!;
  const judged = (change?: Change) => {
    const outcome = goodOutcome(disks.slice(0, diskCount));
    good(outcome);
    change?.(outcome);
    return judge(RAN_IN, scenario, outcome);
  };
  const well = judged();
  expect(well.checks.filter(({ holds }) => !holds)).toEqual([]);
  expect(well.result).toMatchObject({ ok: true, scenario: scenario.name, faults: scenario.faults });
  const failed = new Set<number>();
  for (const change of [...common, ...bad]) {
    const { checks, result } = judged(change);
    expect(result.ok).toBe(false);
    expect(checks).toHaveLength(well.checks.length);
    checks.forEach(({ holds }, index) => {
      if (!holds) failed.add(index);
    });
  }
  expect([...failed].sort((a, b) => a - b)).toEqual(well.checks.map((_, index) => index));
});
