/** A stock Linux guest under a stock QEMU: what must hold of the whole system. */

import { standardMachine } from '@viommu/machine';
import { describe, expect, it } from 'vitest';
import type { GuestStep } from '../src/guest/guest-steps.ts';
import { sha256OfRange } from '../src/linux/disk-image.ts';
import { MMIO_SCENARIO } from '../src/linux/scenarios/mmio-scenario.ts';
import { bootOf, hasGuest, withMachine } from './guest-setting.ts';

const MEBIBYTE = 1 << 20;
const REPORT: GuestStep = { step: 'report' };
const READ_SOME: GuestStep = { step: 'read', disk: 'vda', offset: 0, length: 8 * MEBIBYTE };
const WRITE_SOME: GuestStep = {
  step: 'write',
  disk: 'vda',
  offset: 8 * MEBIBYTE,
  length: 4 * MEBIBYTE,
};
const SMALL_DISK = 16 * MEBIBYTE;

describe.runIf(hasGuest)('a stock Linux guest', () => {
  it('binds its driver, puts each endpoint into a group, and reads and writes the disk through its mappings', async () => {
    let before = '';
    let hashes: string[] = [];
    const { runs, statistics, messages } = await withMachine({}, async (machine) => {
      const [disk = ''] = machine.disks;
      before = sha256OfRange(disk, 0, 64 * MEBIBYTE);
      const run = await machine.boot({
        steps: [
          REPORT,
          { step: 'read', disk: 'vda', offset: 0, length: 64 * MEBIBYTE },
          { step: 'write', disk: 'vda', offset: 64 * MEBIBYTE, length: 16 * MEBIBYTE },
          { step: 'rng' },
        ],
      });
      hashes = [sha256OfRange(disk, 64 * MEBIBYTE, 16 * MEBIBYTE)];
      return [run];
    });
    const boot = bootOf(runs[0]);
    expect(boot.kernel).toMatch(/^(6\.(1[2-9]|[2-9]\d)|[7-9]\.)/);
    expect(boot.pci).toContainEqual({
      address: '0000:00:04.0',
      id: '1af4:1057',
      driver: 'virtio-pci',
    });
    expect(boot.virtio).toContainEqual(
      expect.objectContaining({ address: '0000:00:04.0', id: '23', driver: 'virtio_iommu' }),
    );
    expect(boot.iommuGroups.flatMap(({ devices }) => devices).sort()).toEqual([
      '0000:00:05.0',
      '0000:00:06.0',
    ]);
    expect(boot.iommuGroups[0]?.reserved).toEqual([
      { start: 0xfee00000, end: 0xfeefffff, type: 'msi' },
    ]);
    expect(boot.log.join('\n')).toContain('virtio-pci 0000:00:05.0: Adding to iommu group');

    expect(boot.reads[0]).toMatchObject({ length: 64 * MEBIBYTE, sha256: before });
    expect(boot.writes[0]).toMatchObject({ length: 16 * MEBIBYTE, sha256: hashes[0] });
    expect(boot.reads[1]).toMatchObject({ length: 16 * MEBIBYTE, sha256: hashes[0] });
    expect(boot.rng?.source).toMatch(/virtio_rng/);
    expect(boot.rng?.hex).toMatch(/^[0-9a-f]{128}$/);

    expect(statistics.requests).toMatchObject({ probe: 2, attach: 2, detach: 0 });
    expect(statistics.requests.map).toBeGreaterThan(1000);
    expect(statistics.faults).toBe(0);
    const disk = statistics.endpoints.find(({ endpoint }) => endpoint === 0x28);
    expect(disk?.translatedBytes).toBeGreaterThan(96 * MEBIBYTE);
    for (const { bypassedAfterAttach } of statistics.endpoints) expect(bypassedAfterAttach).toBe(0);
    expect(messages.filter(({ type }) => type === 'attached')).toHaveLength(2);
  });

  it('boots a second time after a reboot inside the same QEMU', async () => {
    const { runs, statistics } = await withMachine({ diskBytes: [SMALL_DISK] }, async (machine) => [
      await machine.boot({
        steps: [REPORT, READ_SOME, { step: 'reboot' }, REPORT, READ_SOME, WRITE_SOME],
      }),
    ]);
    const [first, second] = [bootOf(runs[0], 0), bootOf(runs[0], 1)];
    expect(second.iommuGroups).toEqual(first.iommuGroups);
    expect(second.reads[0]?.sha256).toBe(first.reads[0]?.sha256);
    expect(second.reads[1]?.sha256).toBe(second.writes[0]?.sha256);
    expect(statistics.faults).toBe(0);
    expect(statistics.requests.attach).toBe(4);
  });

  it('is followed by the guest of a second QEMU on the same server', async () => {
    const { runs, statistics } = await withMachine({ diskBytes: [SMALL_DISK] }, async (machine) => [
      await machine.boot({ steps: [WRITE_SOME] }),
      await machine.boot({ steps: [REPORT, READ_SOME, { ...WRITE_SOME, step: 'read' }] }),
    ]);
    expect(bootOf(runs[1]).iommuGroups).toHaveLength(2);
    expect(bootOf(runs[1]).reads[1]?.sha256).toBe(bootOf(runs[0]).writes[0]?.sha256);
    expect(statistics.faults).toBe(0);
  });

  it('runs with iommu.strict=1', async () => {
    const { runs, statistics } = await withMachine({ diskBytes: [SMALL_DISK] }, async (machine) => [
      await machine.boot({ steps: [REPORT, READ_SOME, WRITE_SOME], append: ['iommu.strict=1'] }),
    ]);
    const boot = bootOf(runs[0]);
    expect(boot.iommuGroups.map(({ type }) => type)).toEqual(['DMA', 'DMA']);
    expect(boot.reads[1]?.sha256).toBe(boot.writes[0]?.sha256);
    expect(statistics.faults).toBe(0);
  });

  it('goes by untranslated, by its own choice, with iommu.passthrough=1', async () => {
    const { runs, statistics, messages } = await withMachine(
      { diskBytes: [SMALL_DISK] },
      async (machine) => [
        await machine.boot({
          steps: [REPORT, READ_SOME, WRITE_SOME],
          append: ['iommu.passthrough=1'],
        }),
      ],
    );
    const boot = bootOf(runs[0]);
    expect(boot.iommuGroups.map(({ type }) => type)).toEqual(['identity', 'identity']);
    expect(boot.reads[1]?.sha256).toBe(boot.writes[0]?.sha256);
    expect(messages).toContainEqual(
      expect.objectContaining({ type: 'attached', endpoint: 0x28, domain: 0, bypass: true }),
    );
    expect(statistics.requests.map).toBe(0);
    const disk = statistics.endpoints.find(({ endpoint }) => endpoint === 0x28);
    expect(disk?.bypassedAfterAttach).toBeGreaterThan(12 * MEBIBYTE);
    expect(
      messages.filter((message) => message.type === 'log' && message.level === 'warn'),
    ).toEqual([]);
  });

  it('runs when QEMU shares no memory', async () => {
    const { runs, statistics } = await withMachine({ diskBytes: [SMALL_DISK] }, async (machine) => [
      await machine.boot({ steps: [REPORT, READ_SOME, WRITE_SOME], sharedMemory: false }),
    ]);
    const boot = bootOf(runs[0]);
    expect(boot.iommuGroups).toHaveLength(2);
    expect(boot.reads[1]?.sha256).toBe(boot.writes[0]?.sha256);
    expect(statistics.faults).toBe(0);
  });

  it('has devices in windows when QEMU shares no memory, and does DMA for bus masters alone', async () => {
    const { runs, statistics } = await withMachine(
      { ...MMIO_SCENARIO.machine, diskBytes: [SMALL_DISK] },
      async (machine) => [
        await machine.boot({ steps: [REPORT, READ_SOME, WRITE_SOME], sharedMemory: false }),
      ],
    );
    const boot = bootOf(runs[0]);
    expect(boot.virtio).toContainEqual(expect.objectContaining({ driver: 'virtio_blk' }));
    expect(boot.reads[1]?.sha256).toBe(boot.writes[0]?.sha256);
    expect(statistics.faults).toBe(0);
  });

  it('runs with boot bypass off, where firmware cannot reach memory', async () => {
    const { runs, statistics } = await withMachine(
      {
        diskBytes: [SMALL_DISK],
        describe: (setting) => standardMachine({ ...setting, bootBypass: false }),
      },
      async (machine) => [
        await machine.boot({ steps: [REPORT, READ_SOME, WRITE_SOME], timeoutSeconds: 40 }),
      ],
    );
    const boot = bootOf(runs[0]);
    expect(boot.reads[1]?.sha256).toBe(boot.writes[0]?.sha256);
    for (const { bypassedBytes } of statistics.endpoints) expect(bypassedBytes).toBe(0);
  });

  it('keeps two disks in two groups, where neither reaches what the guest has mapped for the other alone', async () => {
    const { runs, statistics } = await withMachine(
      { diskBytes: [SMALL_DISK, SMALL_DISK], checkIsolation: true },
      async (machine) => [
        await machine.boot({
          steps: [
            REPORT,
            READ_SOME,
            { ...WRITE_SOME, disk: 'vdb' },
            WRITE_SOME,
            { ...READ_SOME, disk: 'vdb' },
          ],
        }),
      ],
    );
    const boot = bootOf(runs[0]);
    const groups = boot.iommuGroups.filter(({ devices }) =>
      devices.some((name) => /:0[57]\.0$/.test(name)),
    );
    expect(groups.map(({ devices }) => devices.length)).toEqual([1, 1]);
    expect(boot.reads.at(-1)?.sha256).not.toBe(boot.reads[0]?.sha256);
    expect(statistics.isolation.checked).toBeGreaterThan(1000);
    expect(statistics.isolation.refused).toBeGreaterThan(1000);
    expect(statistics.isolation.strayed).toBe(0);
    expect(statistics.faults).toBe(0);
  });

  it('is warned about when it bypasses by mistake: a granule larger than its page', async () => {
    const { messages } = await withMachine(
      {
        diskBytes: [SMALL_DISK],
        describe: (setting) => standardMachine({ ...setting, pageSizeMask: 0x4020_0000n }),
      },
      async (machine) => [await machine.boot({ steps: [REPORT, READ_SOME], timeoutSeconds: 60 })],
    );
    const warnings = messages.flatMap((message) =>
      message.type === 'log' && message.level === 'warn' ? [message.message] : [],
    );
    expect(warnings.filter((text) => text.includes('untranslated'))).not.toEqual([]);
  });
});
