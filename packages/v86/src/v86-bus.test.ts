/** Functions on the bus of a real v86, accessed as its processor would. */

import { MemoryDisk, VirtioBlockDevice } from '@viommu/devices';
import { BlockDriver } from '@viommu/devices/driver';
import { VirtioIommuDevice } from '@viommu/iommu-core';
import { AddressAllocator, DmaDomain, IommuDriver } from '@viommu/iommu-driver';
import { simBackend } from '@viommu/pviommu-sim';
import { createVirtioPciFunction, type PciFunction } from '@viommu/transport-pci';
import { createPciDriverTransport } from '@viommu/transport-pci/driver';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  cpuOf,
  driverAccess,
  MEMORY_SIZE,
  readConfig,
  readMemory,
  startEmulator,
  type TestCpu,
  type TestEmulator,
  writeConfig,
  writeMemory,
} from './fixtures/machine.ts';
import { GuestRam } from './guest-ram.ts';
import { V86Bus } from './v86-bus.ts';

const ISA_BRIDGE = 0x08;
const IOMMU = 0x80;
const DISK = 0x88;
const [IOMMU_BAR, DISK_BAR] = [0xfe00_0000, 0xfe00_4000];

let emulator: TestEmulator;
let cpu: TestCpu;
let bus: V86Bus;
let content: Uint8Array;

/** An IOMMU and a disk behind it. */
async function start(): Promise<void> {
  emulator = await startEmulator();
  cpu = cpuOf(emulator);
  bus = new V86Bus(emulator);
  for (const [place, pci] of Object.entries(createFunctions())) bus.plug(Number(place), pci);
}
beforeEach(start);
afterEach(() => emulator.destroy());

function createFunctions(): Record<number, PciFunction> {
  content = new Uint8Array(1 << 20).map((_, index) => index * 7);
  const iommu = new VirtioIommuDevice({ backend: simBackend(), endpoints: [{ id: DISK }] });
  const disk = new VirtioBlockDevice({ disk: new MemoryDisk(content), id: 'v86' });
  return {
    [IOMMU]: createVirtioPciFunction({ device: iommu }),
    [DISK]: createVirtioPciFunction({
      device: disk,
      memory: (guest) => iommu.endpointMemory(DISK, guest),
    }),
  };
}

/** The guest: a driver of each. The devices work when they are kicked, so nothing is waited for. */
function bringUp() {
  const memory = new GuestRam(cpu);
  const pages = new AddressAllocator(0x10_0000, MEMORY_SIZE - 1, 4096);
  const wait = () => false;
  const iommuTransport = createPciDriverTransport(driverAccess(cpu, IOMMU, { 0: IOMMU_BAR }));
  const driver = new IommuDriver({ transport: iommuTransport, memory, pages, wait });
  const dma = new DmaDomain({ driver, domain: 1, pages });
  dma.attach(DISK);
  const diskTransport = createPciDriverTransport(driverAccess(cpu, DISK, { 0: DISK_BAR }));
  // Without VIRTIO_F_EVENT_IDX each request interrupts.
  const features = ~(1n << 29n);
  const disk = new BlockDriver({ transport: diskTransport, memory, dma, wait, features });
  return { driver, dma, disk };
}

describe('the configuration space', () => {
  it('is found by a scan, beside those that v86 has', () => {
    const found = new Map<number, number>();
    for (let place = 0; place < 0x100; place += 8) {
      const id = readConfig(cpu, place, 0, 4);
      if (id !== 0xffff_ffff) found.set(place, id);
    }
    expect(found.get(IOMMU)).toBe(0x1057_1af4);
    expect(found.get(DISK)).toBe(0x1042_1af4);
    // The host bridge is v86's own.
    expect(found.get(0)).toBe(0x1237_8086);
  });

  it('is read and written in any width', () => {
    expect(readConfig(cpu, IOMMU, 0, 2)).toBe(0x1af4);
    expect(readConfig(cpu, IOMMU, 3, 1)).toBe(0x10);
    writeConfig(cpu, IOMMU, 0x3c, 1, 11);
    expect(readConfig(cpu, IOMMU, 0x3c, 1)).toBe(11);
    writeConfig(cpu, IOMMU, 4, 2, 6);
    expect(readConfig(cpu, IOMMU, 4, 2)).toBe(6);
    writeConfig(cpu, IOMMU, 0x10, 4, 0xffff_ffff);
    expect(readConfig(cpu, IOMMU, 0x10, 4)).toBe(0xffff_c000);
  });

  it('shows no MSI-X, and the other capabilities', () => {
    const kinds = [];
    for (let at = readConfig(cpu, DISK, 0x34, 1); at !== 0; at = readConfig(cpu, DISK, at + 1, 1)) {
      kinds.push(readConfig(cpu, DISK, at, 1));
    }
    expect(kinds.length).toBeGreaterThanOrEqual(5);
    expect(new Set(kinds)).toEqual(new Set([0x09]));
  });

  it('says of functions in one slot that there are several', () => {
    expect(readConfig(cpu, IOMMU, 0x0e, 1)).toBe(0);
    bus.plug(IOMMU + 1, createFunctions()[DISK]!);
    expect([IOMMU, IOMMU + 1, DISK].map((place) => readConfig(cpu, place, 0x0e, 1))).toEqual([
      0x80, 0x80, 0,
    ]);
  });
});

describe('registers', () => {
  /** Offset of `device_status` in the common configuration, which begins the BAR. */
  const [QUEUE_SELECT, DEVICE_STATUS, QUEUE_SIZE] = [22, 20, 24];

  it('are where the guest puts them, two functions in one of the blocks of v86', () => {
    driverAccess(cpu, IOMMU, { 0: IOMMU_BAR });
    driverAccess(cpu, DISK, { 0: DISK_BAR });
    writeMemory(cpu, IOMMU_BAR + DEVICE_STATUS, 1, 3);
    expect(readMemory(cpu, IOMMU_BAR + DEVICE_STATUS, 1)).toBe(3);
    expect(readMemory(cpu, DISK_BAR + DEVICE_STATUS, 1)).toBe(0);
    expect(readMemory(cpu, DISK_BAR + 0x4000, 4)).toBe(0xffff_ffff);
  });

  it('are written by halves of a word at once', () => {
    driverAccess(cpu, IOMMU, { 0: IOMMU_BAR });
    writeMemory(cpu, IOMMU_BAR + QUEUE_SELECT, 2, 0x0101);
    expect(readMemory(cpu, IOMMU_BAR + QUEUE_SELECT, 2)).toBe(0x0101);
    writeMemory(cpu, IOMMU_BAR + QUEUE_SELECT, 2, 1);
    const size = readMemory(cpu, IOMMU_BAR + QUEUE_SIZE, 2);
    expect(size).toBeGreaterThan(1);
    writeMemory(cpu, IOMMU_BAR + QUEUE_SIZE, 2, 16);
    expect(readMemory(cpu, IOMMU_BAR + QUEUE_SIZE, 4) & 0xffff).toBe(16);
  });

  it('move, and are nowhere without memory decoding, and never where memory is', () => {
    driverAccess(cpu, IOMMU, { 0: IOMMU_BAR });
    writeConfig(cpu, IOMMU, 0x10, 4, 0xe123_4000);
    expect(readMemory(cpu, 0xe123_4000 + QUEUE_SIZE - 4, 4)).not.toBe(0xffff_ffff);
    expect(readMemory(cpu, IOMMU_BAR, 4)).toBe(0xffff_ffff);
    writeConfig(cpu, IOMMU, 4, 2, 4);
    expect(readMemory(cpu, 0xe123_4000, 4)).toBe(0xffff_ffff);
    const handler = cpu.memory_map_read32[0];
    writeConfig(cpu, IOMMU, 0x10, 4, 0);
    writeConfig(cpu, IOMMU, 4, 2, 6);
    expect(cpu.memory_map_read32[0]).toBe(handler);
  });
});

it('a disk is read and written through the IOMMU, in the memory of the guest', () => {
  const { disk, dma, driver } = bringUp();
  const bytes = new Uint8Array(4096);
  disk.read(3, bytes);
  expect(bytes).toEqual(content.slice(3 * 512, 3 * 512 + 4096));
  disk.write(100, bytes);
  expect(content.slice(100 * 512, 100 * 512 + 4096)).toEqual(bytes);
  dma.detach(DISK);
  expect(() => disk.read(3, bytes)).toThrow(expect.objectContaining({ code: 'NO_ANSWER' }));
  const fault = { reason: 0, flags: 0, endpoint: 0, address: 0 };
  expect(driver.takeFault(fault)).toBe(true);
  expect(fault.endpoint).toBe(DISK);
});

it('tells the compiler of what devices write', () => {
  const dirty = vi.spyOn(cpu, 'jit_dirty_cache');
  const memory = new GuestRam(cpu);
  expect(memory.write(0x12_3000, new Uint8Array(100).fill(5), 0, 100)).toBe(true);
  expect(dirty).toHaveBeenCalledWith(0x12_3000, 0x12_3000 + 100);
  const back = new Uint8Array(3);
  expect(memory.read(0x12_3062, back, 0, 3)).toBe(true);
  expect(back).toEqual(Uint8Array.of(5, 5, 0));
  for (const [address, length] of [
    [0x9_fffe, 4],
    [0xa_0000, 1],
    [0xb_fff0, 0x20],
    [MEMORY_SIZE - 1, 2],
    [2 ** 53 - 1, 1],
  ] as const) {
    expect(memory.write(address, new Uint8Array(0x20), 0, length)).toBe(false);
    expect(memory.read(address, new Uint8Array(0x20), 0, length)).toBe(false);
    expect(memory.window(address, length)).toBe(-1);
  }
});

describe('interrupts', () => {
  it('stay up as long as somebody asserts a line that is shared, v86 among them', () => {
    const levels = new Map<number, boolean>();
    vi.spyOn(cpu, 'device_raise_irq').mockImplementation((irq) => void levels.set(irq, true));
    vi.spyOn(cpu, 'device_lower_irq').mockImplementation((irq) => void levels.set(irq, false));
    // As firmware routes the four lines.
    for (const [line, irq] of [10, 10, 11, 11].entries()) {
      writeConfig(cpu, ISA_BRIDGE, 0x60 + line, 1, irq);
    }
    const { pci } = cpu.devices;
    // Lines go round by slots: four slots on it is the same one.
    const own = DISK + 4 * 8;
    bus.plug(own, createFunctions()[DISK]!);
    const { disk } = bringUp();
    expect(levels.get(10)).toBe(undefined);
    disk.read(0, new Uint8Array(512));
    expect(levels.get(10)).toBe(true);
    pci.raise_irq(own);
    // Reading the ISR takes the disk's back.
    const isr = DISK_BAR + isrOffset(DISK);
    expect(readMemory(cpu, isr, 1)).toBe(1);
    expect(levels.get(10)).toBe(true);
    pci.lower_irq(own);
    expect(levels.get(10)).toBe(false);
    pci.raise_irq(own);
    disk.read(0, new Uint8Array(512));
    pci.lower_irq(own);
    expect(levels.get(10)).toBe(true);
    expect(readMemory(cpu, isr, 1)).toBe(1);
    expect([levels.get(10), readMemory(cpu, isr, 1)]).toEqual([false, 0]);
  });
});

/** VIRTIO_PCI_CAP_ISR_CFG is where in BAR 0? */
function isrOffset(place: number): number {
  for (let at = readConfig(cpu, place, 0x34, 1); at !== 0; at = readConfig(cpu, place, at + 1, 1)) {
    if (readConfig(cpu, place, at + 3, 1) === 3) return readConfig(cpu, place, at + 8, 4);
  }
  throw new Error('there is no ISR capability');
}

/** As firmware does: v86 itself does not restore a BAR that a device of its own does not have. */
function clearMissingBars(): void {
  for (const [place, device] of cpu.devices.pci.devices.entries()) {
    const bars = (device as { pci_bars?: unknown[] } | undefined)?.pci_bars ?? [];
    bars.forEach((bar, index) => {
      if (bar === undefined) writeConfig(cpu, place, 0x10 + 4 * index, 4, 0);
    });
  }
}

describe('a saved state', () => {
  it('has the functions in it: another machine goes on, with mappings, rings and what is on the disk', async () => {
    clearMissingBars();
    const { disk } = bringUp();
    const bytes = new Uint8Array(512).fill(0x55);
    disk.write(9, bytes);
    const state = await emulator.save_state();
    const saved = content;
    await emulator.destroy();

    await start();
    content.set(saved);
    await emulator.restore_state(state);
    // The driver is in the memory of the guest but for its indices, which are these objects'.
    const access = { readBar: (offset: number) => readMemory(cpu, DISK_BAR + offset, 1) };
    expect(access.readBar(20)).toBe(0x0f);
    expect(readConfig(cpu, DISK, 0x10, 4)).toBe(DISK_BAR);
    const back = new Uint8Array(512);
    disk.read(9, back);
    expect(back).toEqual(bytes);
  });

  it('is refused where the machine is another, or it is damaged', async () => {
    const state = cpu.get_state();
    const damaged = (text: unknown) => {
      const copy = [...state];
      copy[200] = text;
      return copy;
    };
    expect(() => cpu.set_state(damaged(undefined))).toThrow('saved without these functions');
    expect(() => cpu.set_state(damaged('{'))).toThrow('the state is damaged');
    const { functions } = JSON.parse(String(state[200])) as { functions: { place: number }[] };
    const text = (some: unknown) => JSON.stringify({ version: 1, functions: some });
    expect(() => cpu.set_state(damaged(text(functions.slice(1))))).toThrow('other functions');
    const moved = [{ ...functions[0]!, place: 0x90 }, functions[1]];
    expect(() => cpu.set_state(damaged(text(moved)))).toThrow('other functions');
    const empty = [{ ...functions[0]!, snapshot: {} }, functions[1]];
    expect(() => cpu.set_state(damaged(text(empty)))).toThrow(
      expect.objectContaining({ code: 'SNAPSHOT' }),
    );
  });
});

it('a restart of the machine resets the functions', () => {
  bringUp();
  cpu.reboot_internal();
  expect(readConfig(cpu, DISK, 4, 2)).toBe(0);
  expect(readMemory(cpu, DISK_BAR, 4)).toBe(0xffff_ffff);
  driverAccess(cpu, DISK, { 0: DISK_BAR });
  expect(readMemory(cpu, DISK_BAR + 20, 1)).toBe(0);
});

it('firmware gets the tables', () => {
  bus.addAcpiTable('viot', Uint8Array.of(1, 2, 3));
  expect(cpu.option_roms).toContainEqual({ name: 'acpi/viot', data: Uint8Array.of(1, 2, 3) });
});

describe('what cannot be is said', () => {
  it.each([0, IOMMU, 0x100, -1, 1.5])('a function at %d', (place) => {
    expect(() => bus.plug(place, createFunctions()[DISK]!)).toThrow(
      expect.objectContaining({ code: 'PLACE' }),
    );
  });

  it('a guest that runs', () => {
    const running = { ...emulator, v86: { cpu }, is_running: () => true };
    const late = new V86Bus(running);
    expect(() => late.plug(0x90, createFunctions()[DISK]!)).toThrow(
      expect.objectContaining({ code: 'RUNNING' }),
    );
    expect(() => late.addAcpiTable('viot', new Uint8Array(1))).toThrow('autostart: false');
  });

  it('another v86', () => {
    const stopped = { is_running: () => false };
    expect(() => new V86Bus(stopped)).toThrow('wait for emulator-ready, and use v86 0.5.462');
    const partial = { ...stopped, v86: { cpu: { ...cpu, devices: { pci: {} }, get_state: 5 } } };
    expect(() => new V86Bus(partial)).toThrow(
      /no cpu\.get_state, .*no cpu\.devices\.pci\.pci_query, .*: use version 0\.5\.462/,
    );
  });
});
