/** What the firmware is given: tables whose size stays, and whose addresses come later. */
import type { MachineDescription } from '@viommu/machine';
import { readViot } from '@viommu/viot';
import { expect, it } from 'vitest';
import { FirmwareTables } from './firmware-tables.ts';

const WINDOWS = { vendorId: 0x1af4, deviceId: 0x107f };
const DESCRIPTION: MachineDescription = {
  iommus: [{ place: { bus: 'pci', bdf: 0x20 }, bootBypass: true }],
  devices: [
    { kind: 'rng', iommu: 0, endpoint: 0x30, place: { bus: 'pci', bdf: 0x30 } },
    { kind: 'rng', iommu: 0, endpoint: 0x1000, place: { bus: 'mmio', windows: 1, window: 0 } },
    { kind: 'rng', iommu: 0, endpoint: 0x1001, place: { bus: 'mmio', windows: 0, window: 1 } },
  ],
  windows: [0x30, 0x88].map((bdf) => ({ bdf, ...WINDOWS })),
  msiWindows: [],
};

/** 32 bits, as they stand in a table. */
const le32 = (value: number) =>
  String.fromCharCode(...[0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff));
const textOf = (bytes: Uint8Array) => String.fromCharCode(...bytes);
const sumOf = (bytes: Uint8Array) => bytes.reduce((sum, byte) => (sum + byte) & 0xff, 0);

it('is the topology, when nothing is in windows', () => {
  const { windows: _, ...rest } = DESCRIPTION;
  const { tables } = new FirmwareTables({ ...rest, devices: DESCRIPTION.devices.slice(0, 1) });
  expect(tables.map(({ name }) => name)).toEqual(['viot']);
  expect(readViot(tables[0]!.bytes).endpoints).toMatchObject([{ kind: 'pci', bdfStart: 0x30 }]);
});

it('has the addresses of windows as soon as the firmware has placed all of them', () => {
  const firmware = new FirmwareTables(DESCRIPTION);
  const [viot, first, second] = firmware.tables.map(({ bytes }) => bytes);
  const before = textOf(viot!);
  firmware.see({ type: 'windowsAddress', windows: 1, address: 0xfebf_0000 });
  expect(textOf(viot!)).toBe(before);
  firmware.see({ type: 'windowsAddress', windows: 0, address: 0xfebf_4000 });

  expect(readViot(viot!).endpoints.slice(1)).toEqual([
    { kind: 'mmio', base: 0xfebf_0000, endpoint: 0x1000, iommu: 0 },
    { kind: 'mmio', base: 0xfebf_5000, endpoint: 0x1001, iommu: 0 },
  ]);
  // SeaBIOS calls what is in slot 6 S06 and in slot 17 S11; their pins are wired to interrupts 10.
  expect(textOf(first!)).toContain('S06_');
  expect(textOf(second!)).toContain('S11_');
  expect(textOf(first!)).toContain(le32(0xfebf_5000));
  expect(textOf(second!)).toContain(le32(0xfebf_0000));
  for (const table of [first!, second!]) expect(textOf(table)).toContain(`\x09\x01${le32(10)}`);
  for (const { bytes } of firmware.tables) expect(sumOf(bytes)).toBe(0);
});
