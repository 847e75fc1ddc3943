/** Requests that one process has made available are carried out by another, and answered once, when the first has them back. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BlockDriver } from '@viommu/devices/driver';
import { AddressAllocator, DmaDomain, IommuDriver } from '@viommu/iommu-driver';
import { InProcessBus, PCI_TRANSPORT } from '@viommu/scenarios';
import { ArrayGuestMemory } from '@viommu/virtqueue';
import { build } from 'esbuild';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MovingMachine } from './fixtures/moving-machine.ts';
import { createSmallMachine, SMALL_MACHINE_DISK } from './fixtures/small-machine.ts';

const PROGRAM = fileURLToPath(new URL('./fixtures/other-process.ts', import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-process-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

it('an IOMMU and a disk go to another process and back, within requests', async () => {
  const file = (name: string) => join(folder, name);
  await build({
    entryPoints: [PROGRAM],
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@viommu/source'],
    outfile: file('program.mjs'),
  });
  const ram = new Uint8Array(1 << 20);
  const disk = new Uint8Array(64 * 512).map((_, index) => index * 3 + (index >> 8));
  const memory = new ArrayGuestMemory([{ base: 0, buffer: ram.buffer }]);
  const moving = new MovingMachine(
    () => createSmallMachine(disk),
    () => false,
  );
  const bus = new InProcessBus(moving.functions, memory, PCI_TRANSPORT);
  let visits = 0;
  /** All work is done by the other process: here nothing is served that it left over. */
  const wait = () => {
    moving.move((snapshots) => {
      writeFileSync(file('snapshots.json'), JSON.stringify(snapshots));
      writeFileSync(file('ram'), ram);
      writeFileSync(file('disk'), disk);
      execFileSync(process.execPath, [file('program.mjs'), folder]);
      visits += 1;
      ram.set(readFileSync(file('ram')));
      disk.set(readFileSync(file('disk')));
      return JSON.parse(readFileSync(file('snapshots.json'), 'utf8'));
    });
    return visits < 20;
  };
  const pages = new AddressAllocator(0x1000, ram.length - 1, 4096);
  const driver = new IommuDriver({
    transport: bus.transportOf(moving.functions[0]!),
    memory,
    pages,
    wait,
  });
  driver.setBypass(false);
  const dma = new DmaDomain({ driver, domain: 1, pages });
  dma.attach(SMALL_MACHINE_DISK);
  const transport = bus.transportOf(moving.functions[1]!);
  const block = new BlockDriver({ transport, memory, dma, wait, bufferLength: 4096 });

  const expected = disk.slice(512, 4608);
  const read = new Uint8Array(4096);
  block.read(1, read);
  expect(read).toEqual(expected);
  block.write(40, read);
  block.flush();
  expect(disk.slice(40 * 512, 48 * 512)).toEqual(expected);
  // PROBE, ATTACH, a MAP for ring, header and data each; a read, a write, a flush.
  expect(visits).toBe(8);
}, 60_000);
