/** A machine at work is moved into new objects again and again, within requests too: nothing is lost, nothing is done twice. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlockDriver, DmaEngineDriver } from '@viommu/devices/driver';
import { AddressAllocator, DmaDomain, IommuDriver } from '@viommu/iommu-driver';
import { createMachine, ENGINE_BDF, standardMachine } from '@viommu/machine';
import { InProcessBus, MMIO_TRANSPORT, PCI_TRANSPORT } from '@viommu/scenarios';
import { ArrayGuestMemory } from '@viommu/virtqueue';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MovingMachine } from './fixtures/moving-machine.ts';
import { NodeParts } from './node-parts.ts';

const BYTES = 64 * 1024;
const PAGE = 4096;
const RAM = { base: 0x4000_0000, length: 8 << 20 };
const DOMAIN = 3;
const ROUNDS = 40;
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-moving-'));
  path = join(folder, 'disk.img');
  writeFileSync(path, new Uint8Array(BYTES));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** A number from 0 to 1, each time another, the same in each run. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Faster than to compare them one by one. */
function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

it.each([
  ['PCI', PCI_TRANSPORT, false],
  ['PCI, packed', PCI_TRANSPORT, true],
  ['MMIO', MMIO_TRANSPORT, false],
  ['MMIO, packed', MMIO_TRANSPORT, true],
])('over %s', (_name, transport, packed) => {
  const random = randomNumbers(7);
  const description = standardMachine({ disks: [path], engine: true, packed });
  const moving = new MovingMachine(
    () =>
      createMachine(description, {
        parts: new NodeParts(),
        createFunction: transport.createFunction,
      }),
    () => random() < 0.04,
  );
  const memory = new ArrayGuestMemory([{ base: RAM.base, buffer: new ArrayBuffer(RAM.length) }]);
  const bus = new InProcessBus(moving.functions, memory, transport);
  const [iommuFunction, diskFunction, , engineFunction] = moving.functions;
  const pages = new AddressAllocator(RAM.base, RAM.base + RAM.length - 1, PAGE);
  const { wait } = bus;
  const iommu = new IommuDriver({
    transport: bus.transportOf(iommuFunction!),
    memory,
    pages,
    wait,
  });
  iommu.setBypass(false);
  const dma = new DmaDomain({ driver: iommu, domain: DOMAIN, pages });
  for (const { bdf } of moving.machine.functions.slice(1)) dma.attach(bdf);
  const disk = new BlockDriver({ transport: bus.transportOf(diskFunction!), memory, dma, wait });
  const engine = new DmaEngineDriver({
    access: engineFunction!,
    message: { address: 0xfee0_0000, data: 9 },
    wait,
  });

  const expected = new Uint8Array(BYTES);
  const held: ReturnType<typeof dma.allocate>[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const sector = Math.floor(random() * 96);
    const data = Uint8Array.from({ length: 512 * (1 + (round % 7)) }, () => random() * 256);
    disk.write(sector, data);
    expected.set(data, 512 * sector);
    const read = new Uint8Array(data.length);
    disk.read(sector, read);
    expect(sameBytes(read, data)).toBe(true);

    // Mappings come and go.
    held.push(dma.allocate(PAGE * (1 + (round % 3))));
    if (held.length > 5) dma.free(held.splice(Math.floor(random() * 5), 1)[0]!);
  }
  disk.flush();
  expect(sameBytes(readFileSync(path), expected)).toBe(true);

  // A copy that takes the engine several turns.
  const length = 768 << 10;
  const [source, target] = [dma.allocate(length), dma.allocate(length)];
  const bytes = Uint8Array.from({ length }, (_, index) => index * 7 + (index >>> 8));
  memory.write(source.address, bytes, 0, length);
  expect(engine.copy(source.deviceAddress, target.deviceAddress, length).done).toBe(true);
  const copied = new Uint8Array(length);
  memory.read(target.address, copied, 0, length);
  expect(sameBytes(copied, bytes)).toBe(true);

  // What is not mapped is refused, and the driver is told, in the machine that is there by then.
  const stray = engine.copy(0xdead_0000, target.deviceAddress, PAGE);
  expect([stray.done, stray.errorAddress]).toEqual([false, 0xdead_0000]);
  const fault = { reason: 0, flags: 0, endpoint: 0, address: 0 };
  expect(iommu.takeFault(fault)).toBe(true);
  expect([fault.endpoint, fault.address]).toEqual([ENGINE_BDF, 0xdead_0000]);

  expect(moving.moves).toBeGreaterThan(ROUNDS);
  bus.close();
  moving.close();
});
