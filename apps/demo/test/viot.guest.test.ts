/** Our VIOT before ACPICA's own compiler, iasl: it knows every field of every table of ours, and we know its template. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  decodeViot,
  encodeViot,
  lintViot,
  readTopology,
  type Topology,
  writeMmioSsdt,
  writeViot,
} from '@viommu/viot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasTableTools, iasl } from './table-tools.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-viot-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** iasl's template of a table, compiled. */
function template(signature = 'VIOT'): Uint8Array {
  const name = signature.toLowerCase();
  iasl(folder, '-T', signature);
  iasl(folder, `${name}.asl`);
  return new Uint8Array(readFileSync(join(folder, `${name}.aml`)));
}

const bus = { segmentStart: 0, segmentEnd: 0, bdfStart: 0, bdfEnd: 0xff };
const TOPOLOGIES: [string, Topology][] = [
  [
    'an IOMMU and its bus',
    {
      iommus: [{ kind: 'pci', segment: 0, bdf: 0x20 }],
      endpoints: [{ kind: 'pci', ...bus, endpointStart: 0, iommu: 0 }],
    },
  ],
  [
    'every type of node, and every field',
    {
      iommus: [
        { kind: 'pci', segment: 0x1234, bdf: 0x5678 },
        { kind: 'mmio', base: 0x12_3456_7890 },
      ],
      endpoints: [
        {
          kind: 'pci',
          segmentStart: 0x0102,
          segmentEnd: 0x0304,
          bdfStart: 0x0506,
          bdfEnd: 0x0708,
          endpointStart: 0x090a0b0c,
          iommu: 1,
        },
        { kind: 'mmio', base: 0x1_0203_0405_0607, endpoint: 0x08090a0b, iommu: 0 },
      ],
    },
  ],
];

describe.runIf(hasTableTools)('iasl', () => {
  it('has a template with all four types, which comes back to the byte', () => {
    const bytes = template();
    const table = decodeViot(bytes);
    expect(table.nodes.map(({ type }) => type)).toEqual([
      'pci-range',
      'mmio-endpoint',
      'virtio-iommu-pci',
      'virtio-iommu-mmio',
    ]);
    expect(encodeViot(table)).toEqual(new Uint8Array(bytes));
    expect(lintViot(bytes).findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it.each(TOPOLOGIES)('disassembles %s, and compiles it to the same bytes', (_, topology) => {
    // iasl writes itself into the header of what it compiles.
    const { creatorId, creatorRevision } = decodeViot(template()).header;
    const bytes = writeViot(topology, { creatorId, creatorRevision });
    writeFileSync(join(folder, 'ours.aml'), bytes);
    iasl(folder, '-d', 'ours.aml');
    const source = readFileSync(join(folder, 'ours.dsl'), 'utf8');
    expect(source).not.toMatch(/unknown|\*\*\*\*/i);
    iasl(folder, '-p', 'again', 'ours.dsl');
    expect(new Uint8Array(readFileSync(join(folder, 'again.aml')))).toEqual(bytes);
  });

  it('reads in an SSDT of ours the devices that are meant, and compiles them to the same code', () => {
    const bytes = writeMmioSsdt({
      parent: '\\_SB.PCI0.S30',
      devices: [
        { base: 0xfebf_c000, size: 0x200, interrupt: 22 },
        { base: 0xfebf_d000, size: 0x1000, interrupt: 300 },
      ],
    });
    writeFileSync(join(folder, 'ssdt.aml'), bytes);
    iasl(folder, '-d', 'ssdt.aml');
    const source = readFileSync(join(folder, 'ssdt.dsl'), 'utf8').replaceAll(/\s+/g, ' ');
    expect(source).toContain('Scope (\\_SB.PCI0.S30)');
    expect(source.match(/Name \(_HID, "LNRO0005"\)/g)).toHaveLength(2);
    for (const [base, length, interrupt] of [
      ['0xFEBFC000', '0x00000200', '0x00000016'],
      ['0xFEBFD000', '0x00001000', '0x0000012C'],
    ]) {
      expect(source).toContain(
        `Memory32Fixed (ReadWrite, ${base}, // Address Base ${length}, // Address Length )`,
      );
      expect(source).toContain(
        `Interrupt (ResourceConsumer, Level, ActiveHigh, Shared, ,, ) { ${interrupt}, }`,
      );
    }
    iasl(folder, '-p', 'ssdt-again', 'ssdt.dsl');
    const again = readFileSync(join(folder, 'ssdt-again.aml'));
    // iasl writes itself into the header, and says which objects are of other tables before the code itself.
    const code = bytes.subarray(36);
    expect(new Uint8Array(again.subarray(again.length - code.length))).toEqual(code);
  });

  it('has a template of a DMAR, in which the IOMMU is found', () => {
    const { iommus, endpoints } = readTopology(template('DMAR'));
    expect(iommus).toEqual([expect.objectContaining({ kind: 'vendor', model: 'vt-d' })]);
    expect(endpoints).not.toEqual([]);
  });

  it.each(['IVRS', 'IORT'])(
    'has a template of a %s that no machine could have, which is refused',
    (signature) => {
      const bytes = template(signature);
      expect(() => readTopology(bytes)).toThrow(
        expect.objectContaining({ name: 'ViotError', offset: expect.any(Number) }),
      );
    },
  );
});
