/** Snapshots that earlier releases wrote are read for good. Beside each new version of a form, its file comes to stay. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMachine, standardMachine } from '@viommu/machine';
import { MMIO_TRANSPORT, PCI_TRANSPORT } from '@viommu/scenarios';
import { ArrayGuestMemory } from '@viommu/virtqueue';
import { restoreSnapshots } from '@viommu/virtqueue/snapshot';
import { expect, it } from 'vitest';
import { NodeParts } from './node-parts.ts';

it.each([
  ['machine-pci-1.json', PCI_TRANSPORT, false],
  ['machine-mmio-1.json', MMIO_TRANSPORT, true],
])('%s: an IOMMU with mappings, a disk, an engine within a copy', (name, transport, packed) => {
  const text = readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');
  const snapshots: Record<string, unknown> = JSON.parse(text);
  const folder = mkdtempSync(join(tmpdir(), 'viommu-version-'));
  const disk = join(folder, 'disk.img');
  writeFileSync(disk, new Uint8Array(64 * 512));
  const machine = createMachine(standardMachine({ disks: [disk], engine: true, packed }), {
    parts: new NodeParts(),
    createFunction: transport.createFunction,
  });
  const buffer = new ArrayBuffer(8 << 20);
  const memory = new ArrayGuestMemory([{ base: 0x4000_0000, buffer }]);
  const host = { memory, ownsMsixTable: false, signalMsix() {}, setIntx() {} };
  for (const entry of machine.functions) entry.function.connect(host);
  const parts = machine.functions.map((entry) => ({
    name: entry.name,
    target: entry.function,
    snapshot: snapshots[entry.name],
  }));
  restoreSnapshots(parts);
  const again = machine.functions.map((entry) => [entry.name, entry.function.snapshot?.()]);
  expect(Object.fromEntries(again)).toEqual(snapshots);
  // The copy comes to its end through the mappings of the snapshot.
  const engine = machine.functions.at(-1)!.function;
  while (engine.service());
  expect(machine.iommus[0]!.device.endpointCounters(0x40)).toMatchObject({
    translatedBytes: 2 * 768 * 1024,
    faults: 0,
  });
  machine.close();
  rmSync(folder, { recursive: true });
});
