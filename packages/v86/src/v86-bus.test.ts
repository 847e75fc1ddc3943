/** Functions on the bus of a real v86, accessed as its processor would. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDoubler, DoublerDriver } from './fixtures/doubler.ts';
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
/** QEMU's "fw_cfg": ports, and the key of the first file. */
const [FIRMWARE_SELECT, FIRMWARE_DATA, FIRST_FIRMWARE_FILE] = [0x510, 0x511, 0xc000];
const [FIRST, SECOND] = [0x80, 0x88];
const [FIRST_BAR, SECOND_BAR] = [0xfe00_0000, 0xfe00_4000];
const [FIRST_RING, SECOND_RING] = [0x10_0000, 0x12_0000];

/** v86 comes to one between its slices of time. */
const pause = () => Promise.resolve();

let emulator: TestEmulator;
let cpu: TestCpu;
let bus: V86Bus;

async function start(): Promise<void> {
  emulator = await startEmulator();
  cpu = cpuOf(emulator);
  bus = new V86Bus(emulator);
  for (const place of [FIRST, SECOND]) bus.plug(place, createDoubler());
}
beforeEach(start);
afterEach(() => emulator.destroy());

const bringUpFirst = () =>
  new DoublerDriver(driverAccess(cpu, FIRST, { 0: FIRST_BAR }), new GuestRam(cpu), FIRST_RING);
const bringUpSecond = () =>
  new DoublerDriver(driverAccess(cpu, SECOND, { 0: SECOND_BAR }), new GuestRam(cpu), SECOND_RING);

describe('the configuration space', () => {
  it('is found by a scan, beside those that v86 has', () => {
    const found = new Map<number, number>();
    for (let place = 0; place < 0x100; place += 8) {
      const id = readConfig(cpu, place, 0, 4);
      if (id !== 0xffff_ffff) found.set(place, id);
    }
    expect([found.get(FIRST), found.get(SECOND)]).toEqual([0x107f_1af4, 0x107f_1af4]);
    // The host bridge is v86's own.
    expect(found.get(0)).toBe(0x1237_8086);
  });

  it('is read and written in any width', () => {
    expect(readConfig(cpu, FIRST, 0, 2)).toBe(0x1af4);
    expect(readConfig(cpu, FIRST, 3, 1)).toBe(0x10);
    writeConfig(cpu, FIRST, 0x3c, 1, 11);
    expect(readConfig(cpu, FIRST, 0x3c, 1)).toBe(11);
    writeConfig(cpu, FIRST, 4, 2, 6);
    expect(readConfig(cpu, FIRST, 4, 2)).toBe(6);
    writeConfig(cpu, FIRST, 0x10, 4, 0xffff_ffff);
    expect(readConfig(cpu, FIRST, 0x10, 4)).toBe(0xffff_c000);
  });

  it('shows no MSI-X, and the other capabilities', () => {
    const kinds = [];
    for (
      let at = readConfig(cpu, SECOND, 0x34, 1);
      at !== 0;
      at = readConfig(cpu, SECOND, at + 1, 1)
    ) {
      kinds.push(readConfig(cpu, SECOND, at, 1));
    }
    // Vendor-specific: common configuration, notifications, ISR and the window.
    expect(kinds).toEqual([9, 9, 9, 9]);
  });

  it('says of functions in one slot that there are several', () => {
    expect(readConfig(cpu, FIRST, 0x0e, 1)).toBe(0);
    bus.plug(FIRST + 1, createDoubler());
    expect([FIRST, FIRST + 1, SECOND].map((place) => readConfig(cpu, place, 0x0e, 1))).toEqual([
      0x80, 0x80, 0,
    ]);
  });
});

describe('registers', () => {
  /** Offset of `device_status` in the common configuration, which begins the BAR. */
  const [QUEUE_SELECT, DEVICE_STATUS, QUEUE_SIZE] = [22, 20, 24];

  it('are where the guest puts them, two functions in one of the blocks of v86', () => {
    driverAccess(cpu, FIRST, { 0: FIRST_BAR });
    driverAccess(cpu, SECOND, { 0: SECOND_BAR });
    writeMemory(cpu, FIRST_BAR + DEVICE_STATUS, 1, 3);
    expect(readMemory(cpu, FIRST_BAR + DEVICE_STATUS, 1)).toBe(3);
    expect(readMemory(cpu, SECOND_BAR + DEVICE_STATUS, 1)).toBe(0);
    expect(readMemory(cpu, SECOND_BAR + 0x4000, 4)).toBe(0xffff_ffff);
  });

  it('are written by halves of a word at once', () => {
    driverAccess(cpu, FIRST, { 0: FIRST_BAR });
    writeMemory(cpu, FIRST_BAR + QUEUE_SELECT, 2, 0x0101);
    expect(readMemory(cpu, FIRST_BAR + QUEUE_SELECT, 2)).toBe(0x0101);
    writeMemory(cpu, FIRST_BAR + QUEUE_SELECT, 2, 1);
    const size = readMemory(cpu, FIRST_BAR + QUEUE_SIZE, 2);
    expect(size).toBeGreaterThan(1);
    writeMemory(cpu, FIRST_BAR + QUEUE_SIZE, 2, 16);
    expect(readMemory(cpu, FIRST_BAR + QUEUE_SIZE, 4) & 0xffff).toBe(16);
  });

  it('move, and are nowhere without memory decoding, and never where memory is', () => {
    driverAccess(cpu, FIRST, { 0: FIRST_BAR });
    writeConfig(cpu, FIRST, 0x10, 4, 0xe123_4000);
    expect(readMemory(cpu, 0xe123_4000 + QUEUE_SIZE - 4, 4)).not.toBe(0xffff_ffff);
    expect(readMemory(cpu, FIRST_BAR, 4)).toBe(0xffff_ffff);
    writeConfig(cpu, FIRST, 4, 2, 4);
    expect(readMemory(cpu, 0xe123_4000, 4)).toBe(0xffff_ffff);
    const handler = cpu.memory_map_read32[0];
    writeConfig(cpu, FIRST, 0x10, 4, 0);
    writeConfig(cpu, FIRST, 4, 2, 6);
    expect(cpu.memory_map_read32[0]).toBe(handler);
  });
});

it('devices work as soon as they are kicked, in the memory of the guest', () => {
  const [first, second] = [bringUpFirst(), bringUpSecond()];
  first.ask([1, 2, 3]);
  second.ask([50]);
  expect([first.answers(), second.answers()]).toEqual([[2, 4, 6], [100]]);
  first.ask([9], false);
  expect(first.answers()).toEqual([]);
});

it('a function that fails stops no other', () => {
  const broken = createDoubler();
  bus.plug(0x98, broken);
  const service = vi.spyOn(broken, 'service').mockImplementation(() => {
    throw new Error('a bug');
  });
  expect(() => bus.service()).toThrow('a bug');
  service.mockReturnValue(false);
  const driver = bringUpFirst();
  driver.ask([4]);
  expect(driver.answers()).toEqual([8]);
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
  it('stay up as long as somebody asserts a line that is shared, v86 among them', async () => {
    const levels = new Map<number, boolean>();
    vi.spyOn(cpu, 'device_raise_irq').mockImplementation((irq) => void levels.set(irq, true));
    vi.spyOn(cpu, 'device_lower_irq').mockImplementation((irq) => void levels.set(irq, false));
    // As firmware routes the four lines.
    for (const [line, irq] of [10, 10, 11, 11].entries()) {
      writeConfig(cpu, ISA_BRIDGE, 0x60 + line, 1, irq);
    }
    const { pci } = cpu.devices;
    // Lines go round by slots: four slots on it is the same one.
    const own = SECOND + 4 * 8;
    bus.plug(own, createDoubler());
    const driver = bringUpSecond();
    expect(levels.get(10)).toBe(undefined);
    driver.ask([1]);
    // Not within the access that kicked.
    expect(levels.get(10)).toBe(undefined);
    await pause();
    expect(levels.get(10)).toBe(true);
    pci.raise_irq(own);
    // Reading the ISR takes the function's back.
    const isr = SECOND_BAR + isrOffset(SECOND);
    expect(readMemory(cpu, isr, 1)).toBe(1);
    expect(levels.get(10)).toBe(true);
    pci.lower_irq(own);
    expect(levels.get(10)).toBe(false);
    pci.raise_irq(own);
    driver.ask([1]);
    await pause();
    pci.lower_irq(own);
    expect(levels.get(10)).toBe(true);
    expect(readMemory(cpu, isr, 1)).toBe(1);
    expect([levels.get(10), readMemory(cpu, isr, 1)]).toEqual([false, 0]);
    // What the guest has seen before the pause is not raised any more.
    driver.ask([1]);
    expect(readMemory(cpu, isr, 1)).toBe(1);
    await pause();
    expect(levels.get(10)).toBe(false);
  });
});

/** Where in BAR 0 is what VIRTIO_PCI_CAP_NOTIFY_CFG (2) or VIRTIO_PCI_CAP_ISR_CFG (3) is about? */
function structureOffset(place: number, type: number): number {
  for (let at = readConfig(cpu, place, 0x34, 1); at !== 0; at = readConfig(cpu, place, at + 1, 1)) {
    if (readConfig(cpu, place, at + 3, 1) === type) return readConfig(cpu, place, at + 8, 4);
  }
  throw new Error(`there is no structure of type ${type}`);
}
const notifyOffset = (place: number) => structureOffset(place, 2);
const isrOffset = (place: number) => structureOffset(place, 3);

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
  it('has the functions in it: another machine goes on where this one stood', async () => {
    clearMissingBars();
    const driver = bringUpSecond();
    driver.ask([5]);
    // In the ring, and the device does not know.
    driver.ask([6, 7], false);
    const state = await emulator.save_state();
    await emulator.destroy();

    await start();
    await emulator.restore_state(state);
    expect([readConfig(cpu, SECOND, 0x10, 4), readMemory(cpu, SECOND_BAR + 20, 1)]).toEqual([
      SECOND_BAR,
      0x0f,
    ]);
    // The interrupt of the first answer.
    expect(readMemory(cpu, SECOND_BAR + isrOffset(SECOND), 1)).toBe(1);
    // QueueNotify of queue 0, by hand: the driver's objects are of the other machine.
    writeMemory(cpu, SECOND_BAR + notifyOffset(SECOND), 2, 0);
    const memory = new GuestRam(cpu);
    const data = new Uint8Array(4);
    memory.read(SECOND_RING + 0x1000, data, 0, 4);
    expect([...data]).toEqual([6, 12, 7, 14]);
    const used = new Uint8Array(2);
    const index = new Uint16Array(used.buffer);
    // The used ring of a split queue of eight: behind 128 bytes of descriptors and 22 of the driver's, at a multiple of 4.
    memory.read(SECOND_RING + 152 + 2, used, 0, 2);
    expect(index[0]).toBe(3);
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
  bringUpSecond();
  cpu.reboot_internal();
  expect(readConfig(cpu, SECOND, 4, 2)).toBe(0);
  expect(readMemory(cpu, SECOND_BAR, 4)).toBe(0xffff_ffff);
  driverAccess(cpu, SECOND, { 0: SECOND_BAR });
  expect(readMemory(cpu, SECOND_BAR + 20, 1)).toBe(0);
});

it('firmware gets the tables, with what is in them when it reads them', () => {
  const table = Uint8Array.of(1, 2, 3);
  bus.addAcpiTable('viot', table);
  const file = cpu.option_roms.findIndex(({ name }) => name === 'acpi/viot');
  table[1] = 7;
  cpu.io.port_write16(FIRMWARE_SELECT, FIRST_FIRMWARE_FILE + file);
  expect([1, 2, 3].map(() => cpu.io.port_read8(FIRMWARE_DATA))).toEqual([1, 7, 3]);
});

describe('what cannot be is said', () => {
  it.each([0, FIRST, 0x100, -1, 1.5])('a function at %d', (place) => {
    expect(() => bus.plug(place, createDoubler())).toThrow(
      expect.objectContaining({ code: 'PLACE' }),
    );
  });

  it('a guest that runs', () => {
    const running = { ...emulator, v86: { cpu }, is_running: () => true };
    const late = new V86Bus(running);
    expect(() => late.plug(0x90, createDoubler())).toThrow(
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
