import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Topology } from '@viommu/viot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dumpMachineTree, extendMachineTree } from './make-machine-tree.ts';
import { readMachineTree } from './read-machine-tree.ts';

const RECORDED = fileURLToPath(new URL('fixtures/virt-gic-v3.dtb', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A shell script in the place of a program. */
function program(name: string, script: string) {
  const command = join(folder, name);
  writeFileSync(command, `#!/bin/sh\n${script}\n`);
  chmodSync(command, 0o755);
  return { command, arguments: [], environment: {}, version: '11.1.3' };
}

/** Prints a source that names the tree it was to decompile, and keeps what it is to compile. */
function fakeDtc() {
  return program('dtc', `[ "$5" = dts ] && echo "// of $6" || cp "$8" "$7"`);
}

const disk = { kind: 'pci', segmentStart: 0, segmentEnd: 0, bdfStart: 0x28, bdfEnd: 0x28 } as const;
const onPci: Topology = {
  iommus: [{ kind: 'pci', segment: 0, bdf: 0x20 }],
  endpoints: [{ ...disk, endpointStart: 0x28, iommu: 0 }],
};
const inWindows: Topology = {
  iommus: [{ kind: 'mmio', base: 0x10000000 }],
  endpoints: [{ kind: 'mmio', base: 0x10001000, endpoint: 0x1000, iommu: 0 }],
};

describe('dumpMachineTree', () => {
  it('reads what QEMU writes for the machine that is booted later', async () => {
    // -machine TYPE,dumpdtb=FILE
    const qemu = program(
      'qemu',
      `echo "$*" >"${folder}/asked"; cp "${RECORDED}" "\${2#*dumpdtb=}"`,
    );
    const tree = await dumpMachineTree({ qemu, folder, memoryMebibytes: 1024 });
    expect(tree).toEqual(readMachineTree(readFileSync(RECORDED)));
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toContain('virt,gic-version=3');
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toContain('-m 1024');
  });

  it('says what QEMU said', async () => {
    const qemu = program('qemu', 'echo "qemu: no such machine" >&2; exit 1');
    await expect(dumpMachineTree({ qemu, folder })).rejects.toThrow(
      /the machine's device tree cannot be read: .*no such machine/,
    );
  });
});

describe('extendMachineTree', () => {
  const tree = readMachineTree(readFileSync(RECORDED));
  beforeEach(() => copyFileSync(RECORDED, join(folder, 'machine-base.dtb')));

  it('appends functions and their IOMMU to the host bridge', async () => {
    const file = await extendMachineTree({ dtc: fakeDtc(), folder, tree, topology: onPci });
    const source = readFileSync(file, 'utf8');
    expect(source).toMatch(/^\/\/ of .*machine-base\.dtb\n/);
    expect(source).toContain('&{/pcie@10000000} {');
    expect(source).toContain('iommu-map = <0x28 &viommu0 0x28 0x1>;');
    expect(source).toContain('reg = <0x2000 0x0 0x0 0x0 0x0>;');
  });

  it('puts windows at the root, with the interrupt of the function that they are part of', async () => {
    const file = await extendMachineTree({
      ...{ dtc: fakeDtc(), folder, tree, topology: inWindows, windowFunction: 0x30 },
    });
    const source = readFileSync(file, 'utf8');
    expect(source).toContain('iommu@10000000 {');
    expect(source).toContain('iommus = <&viommu0 0x1000>;');
    expect(source.match(/interrupts = <0x0 0x5 0x4>;/g)).toHaveLength(2);
    expect(source.match(/dma-coherent;/g)).toHaveLength(2);
    expect(source).not.toContain('pcie@');
  });

  it('wants to know the function of the windows', async () => {
    const options = { dtc: fakeDtc(), folder, tree, topology: inWindows };
    await expect(extendMachineTree(options)).rejects.toThrow('say which function');
  });

  it('says what dtc said', async () => {
    const dtc = program('dtc', 'echo "FATAL ERROR: no" >&2; exit 1');
    await expect(extendMachineTree({ dtc, folder, tree, topology: onPci })).rejects.toThrow(
      /the topology cannot be added .*FATAL ERROR: no/,
    );
  });
});
