/** What an x86_64 guest is told: the tables that are written, read back. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MachineDescription } from '@viommu/machine';
import { standardMachine } from '@viommu/machine';
import { readViot } from '@viommu/viot';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { X86_PLATFORM } from './x86-platform.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** 32 bits, as they stand in a table. */
const le32 = (value: number) =>
  String.fromCharCode(...[0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff));

it('is told of PCI functions by a VIOT, without a look at the firmware', async () => {
  const told = await X86_PLATFORM.tellTopology({
    description: standardMachine({ disks: ['a', 'b'] }),
    folder,
    observeWindows: () => Promise.reject(new Error('there are no windows')),
  });
  expect(told).toEqual({ viotFile: join(folder, 'viot.aml'), more: [] });
  const { iommus, endpoints } = readViot(readFileSync(told.viotFile!));
  expect(iommus).toEqual([{ kind: 'pci', segment: 0, bdf: 0x20 }]);
  expect(endpoints.map((range) => range.kind === 'pci' && range.endpointStart)).toEqual([
    0x28, 0x38, 0x30,
  ]);
});

it('is told of windows by addresses that the firmware chose', async () => {
  const behind = { iommu: 0 } as const;
  const description: MachineDescription = {
    iommus: [{ place: { bus: 'pci', bdf: 0x20 }, bootBypass: true }],
    devices: [
      { kind: 'rng', ...behind, place: { bus: 'mmio', windows: 1, window: 0 }, endpoint: 0x2000 },
      { kind: 'rng', ...behind, place: { bus: 'mmio', windows: 0, window: 1 }, endpoint: 0x1001 },
      { kind: 'rng', ...behind, place: { bus: 'mmio', windows: 0, window: 0 }, endpoint: 0x1000 },
    ],
    windows: [0x30, 0x40].map((bdf) => ({ bdf, ...X86_PLATFORM.windowsIdentity })),
    msiWindows: X86_PLATFORM.msiWindows,
  };
  const told = await X86_PLATFORM.tellTopology({
    description,
    folder,
    observeWindows: () => Promise.resolve([0xfebf_c000, 0xfebf_b000]),
  });
  const { endpoints } = readViot(readFileSync(told.viotFile!));
  expect(endpoints).toEqual(
    [
      [0xfebf_b000, 0x2000],
      [0xfebf_d000, 0x1001],
      [0xfebf_c000, 0x1000],
    ].map(([base, endpoint]) => ({ kind: 'mmio', base, endpoint, iommu: 0 })),
  );
  expect(readdirSync(folder).sort()).toEqual(['viot.aml', 'windows0.aml', 'windows1.aml']);
  expect(told.more).toEqual(
    [0, 1].flatMap((index) => ['-acpitable', `file=${join(folder, `windows${index}.aml`)}`]),
  );
  const [first = '', second = ''] = [0, 1].map((index) =>
    readFileSync(join(folder, `windows${index}.aml`), 'latin1'),
  );
  // QEMU calls the function at 00:06.0 S30, and wires INTA of slots 6 and 8 to interrupts 22 and 20.
  expect(first).toContain('S30_');
  expect(second).toContain('S40_');
  for (const base of [0xfebf_c000, 0xfebf_d000]) expect(first).toContain(le32(base));
  expect(second).toContain(le32(0xfebf_b000));
  expect([first.split(le32(22)).length, second.split(le32(20)).length]).toEqual([3, 2]);
});
