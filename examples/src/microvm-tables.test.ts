/** What a guest reads in the tables, and ACPICA's disassembler where it is there. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lintViot, mmioEndpoint, readViot } from '@viommu/viot';
import { expect, it } from 'vitest';
import { microvmTables } from './microvm-tables.ts';
import { IOMMU_BASE, RNG, RNG_BASE, WINDOW } from './mmio-vmm.ts';

const at = (base: number, interrupt: number) => ({ base, size: WINDOW, interrupt });
const tables = microvmTables(at(IOMMU_BASE, 16), [at(RNG_BASE, 17), at(RNG_BASE + WINDOW, 18)]);

it('puts the devices behind the IOMMU, by the address of their registers', () => {
  const topology = readViot(tables.viot);
  expect(topology.iommus).toEqual([{ kind: 'mmio', base: IOMMU_BASE }]);
  expect(mmioEndpoint(topology, RNG_BASE)).toMatchObject({ endpoint: RNG, iommu: 0 });
  expect(mmioEndpoint(topology, RNG_BASE + WINDOW)).toMatchObject({ endpoint: 2 });
  expect(lintViot(tables.viot).findings.filter(({ severity }) => severity === 'error')).toEqual([]);
});

it.runIf(spawnSync('iasl', ['-v']).status === 0)('iasl finds three devices in the SSDT', () => {
  const folder = mkdtempSync(join(tmpdir(), 'viommu-microvm-'));
  try {
    writeFileSync(join(folder, 'ssdt.aml'), tables.ssdt);
    expect(spawnSync('iasl', ['-d', 'ssdt.aml'], { cwd: folder }).status).toBe(0);
    const text = readFileSync(join(folder, 'ssdt.dsl'), 'utf8');
    expect(text).toContain('Scope (\\_SB)');
    expect(text.match(/Name \(_HID, "LNRO0005"\)/g)).toHaveLength(3);
    expect(text.match(/0xD000[012]000, /g)).toEqual([
      '0xD0000000, ',
      '0xD0001000, ',
      '0xD0002000, ',
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
