import { ArrayGuestMemory, createMemoryWindow } from '@viommu/virtqueue';
import { beforeEach, describe, expect, it } from 'vitest';
import { NaiveBackend } from '../testing/naive-backend.ts';
import { createTestDevice, type TestDevice } from '../testing/test-device.ts';

const READ = 1;
const WRITE = 2;
const DENIED = -1;

describe('EndpointMemory', () => {
  let test: TestDevice;
  let physical: Uint8Array<ArrayBuffer>;
  let memory: ArrayGuestMemory;
  const warnings: string[] = [];
  const seen: unknown[] = [];
  const out = createMemoryWindow();
  const endpoint = (id = 8) => test.device.endpointMemory(id, memory);
  const counters = (id = 8) => test.device.endpointCounters(id);

  beforeEach(() => {
    warnings.length = 0;
    seen.length = 0;
    test = createTestDevice({
      bootBypass: false,
      logger: {
        debug() {},
        info() {},
        error() {},
        warn: (line) => warnings.push(line),
      },
      observer: {
        translated: (...of) => seen.push(of),
        fault: (...of) => seen.push(['fault', ...of]),
      },
    });
    physical = Uint8Array.from({ length: 0x10000 }, (_, index) => (index >> 8) ^ index);
    memory = new ArrayGuestMemory([{ base: 0x10000, buffer: physical.buffer }]);
  });

  it('reads and writes across mappings', () => {
    test.driver.attach(1, 8);
    test.driver.map(1, 0x5000, 0x5fff, 0x11000, READ | WRITE);
    test.driver.map(1, 0x6000, 0x6fff, 0x18000, READ | WRITE);
    const bytes = new Uint8Array(10);
    expect(endpoint().read(0x5ffc, bytes, 1, 8)).toBe(true);
    expect([...bytes.subarray(1, 9)]).toEqual([
      ...physical.subarray(0x1ffc, 0x2000),
      ...physical.subarray(0x8000, 0x8004),
    ]);
    expect(endpoint().write(0x5ffe, Uint8Array.of(9, 1, 2, 3, 4), 1, 4)).toBe(true);
    expect([...physical.subarray(0x1ffe, 0x2000)]).toEqual([1, 2]);
    expect([...physical.subarray(0x8000, 0x8002)]).toEqual([3, 4]);
    expect(counters()).toEqual({
      translatedBytes: 12,
      bypassedBytes: 0,
      bypassedWhileDriverUp: 0,
      faults: 0,
    });
    expect(seen).toEqual([
      [8, 0x5ffc, 4, READ, 0x11ffc, false],
      [8, 0x6000, 4, READ, 0x18000, false],
      [8, 0x5ffe, 2, WRITE, 0x11ffe, false],
      [8, 0x6000, 2, WRITE, 0x18000, false],
    ]);
  });

  it('joins mappings that continue each other into one window, counted once', () => {
    test.driver.attach(1, 8);
    test.driver.map(1, 0x5000, 0x5fff, 0x11000, READ);
    test.driver.map(1, 0x6000, 0x6fff, 0x12000, READ);
    test.driver.map(1, 0x7000, 0x7fff, 0x11000, READ);
    expect(endpoint().window(0x5800, 0x10000, READ, out)).toBe(0x1800);
    expect(out.offset).toBe(0x1800);
    expect(out.bytes[out.offset]).toBe(physical[0x1800]);
    expect(endpoint().window(0x5800, 0x900, READ, out)).toBe(0x900);
    expect(counters().translatedBytes).toBe(0x2100);
    expect(counters().faults).toBe(0);
    expect(seen).toHaveLength(2);
    expect(seen[0]).toEqual([8, 0x5800, 0x1800, READ, 0x11800, false]);
  });

  it('counts nothing for a window that memory does not show, which is no fault', () => {
    test.driver.attach(1, 8);
    test.driver.map(1, 0x5000, 0x5fff, 0x11000, READ);
    memory.window = () => 0;
    expect(endpoint().window(0x5000, 16, READ, out)).toBe(0);
    expect(counters()).toMatchObject({ translatedBytes: 0, faults: 0 });
    expect(endpoint().read(0x5000, new Uint8Array(16), 0, 16)).toBe(true);
    expect(counters().translatedBytes).toBe(16);
  });

  it('does not join over a mapping without the permission', () => {
    test.driver.attach(1, 8);
    test.driver.map(1, 0x5000, 0x5fff, 0x11000, READ | WRITE);
    test.driver.map(1, 0x6000, 0x6fff, 0x12000, READ);
    expect(endpoint().window(0x5000, 0x2000, WRITE, out)).toBe(0x1000);
    expect(endpoint().window(0x5000, 0x2000, READ, out)).toBe(0x2000);
  });

  it('denies without a domain, and reports DOMAIN', () => {
    test.driver.giveEventBuffer();
    expect(endpoint().window(0x1234_5678_9abc, 1, READ, out)).toBe(DENIED);
    expect(test.driver.takeEvent()).toEqual({
      used: 24,
      bytes: Uint8Array.of(
        ...[1, 0, 0, 0, 1, 1, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0],
        ...[0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12, 0, 0],
      ),
    });
    expect(test.driver.interrupts).toEqual([1]);
    expect(seen).toEqual([['fault', 8, 1, READ, 0x1234_5678_9abc, true]]);
  });

  it('denies without a mapping, and reports MAPPING at the address that failed', () => {
    test.driver.attach(1, 8);
    test.driver.map(1, 0x5000, 0x5fff, 0x11000, WRITE);
    test.driver.giveEventBuffer();
    expect(endpoint().write(0x5fff, new Uint8Array(2), 0, 2)).toBe(false);
    expect(test.driver.takeEvent()!.bytes).toEqual(
      Uint8Array.of(2, 0, 0, 0, 2, 1, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0x60, 0, 0, 0, 0, 0, 0),
    );
    expect(counters().faults).toBe(1);
    expect(counters().translatedBytes).toBe(1);
  });

  it('reaches nothing of a domain that it was detached from, or moved out of', () => {
    const { driver } = test;
    driver.attach(1, 9);
    driver.attach(1, 8);
    driver.map(1, 0x5000, 0x5fff, 0x11000, READ | WRITE);
    const reaches = () => [
      endpoint().window(0x5000, 1, READ, out) !== DENIED,
      endpoint().read(0x5000, new Uint8Array(1), 0, 1),
      endpoint().write(0x5000, new Uint8Array(1), 0, 1),
    ];
    expect(reaches()).toEqual([true, true, true]);
    driver.detach(1, 8);
    expect(reaches()).toEqual([false, false, false]);
    driver.attach(1, 8);
    expect(reaches()).toEqual([true, true, true]);
    driver.attach(2, 8);
    expect(reaches()).toEqual([false, false, false]);
    expect(endpoint(9).read(0x5000, new Uint8Array(1), 0, 1)).toBe(true);
  });

  it('denies without the permission, and reports MAPPING with both accesses', () => {
    test.driver.attach(1, 8);
    test.driver.map(1, 0x5000, 0x5fff, 0x11000, READ);
    test.driver.giveEventBuffer();
    expect(endpoint().window(0x5000, 1, READ | WRITE, out)).toBe(DENIED);
    expect([...test.driver.takeEvent()!.bytes.subarray(0, 6)]).toEqual([2, 0, 0, 0, 3, 1]);
    expect(endpoint().write(0x5000, new Uint8Array(1), 0, 1)).toBe(false);
    expect(physical[0x1000]).toBe(0x10);
  });

  it('reports UNKNOWN when nothing is where it was mapped to', () => {
    test.driver.attach(1, 8);
    test.driver.map(1, 0x5000, 0x5fff, 0x9_0000, READ | WRITE);
    for (const access of [
      () => endpoint().window(0x5000, 1, READ, out) !== DENIED,
      () => endpoint().read(0x5000, new Uint8Array(1), 0, 1),
      () => endpoint().write(0x5000, new Uint8Array(1), 0, 1),
    ]) {
      test.driver.giveEventBuffer();
      expect(access()).toBe(false);
      expect(test.driver.takeEvent()!.bytes[0]).toBe(0);
    }
    expect(counters()).toMatchObject({ faults: 3, translatedBytes: 0 });
  });

  it('drops and counts faults without an event buffer, with one too small, and before DRIVER_OK', () => {
    expect(endpoint().window(0, 1, READ, out)).toBe(DENIED);
    expect(test.driver.takeEvent()).toBeUndefined();
    test.driver.giveEventBuffer(23);
    expect(endpoint().window(0, 1, READ, out)).toBe(DENIED);
    expect(test.driver.takeEvent()!.used).toBe(0);
    test.driver.giveEventBuffer(32);
    expect(endpoint().window(0, 1, READ, out)).toBe(DENIED);
    expect(test.driver.takeEvent()!.used).toBe(24);
    test.driver.giveEventBuffer();
    test.device.reset();
    expect(endpoint().window(0, 1, READ, out)).toBe(DENIED);
    expect(test.driver.takeEvent()).toBeUndefined();
    expect(test.device.counters).toMatchObject({ faults: 4, eventsDelivered: 1, eventsDropped: 3 });
  });

  it('goes by in a bypass domain, and says nothing of it', () => {
    test.driver.attach(1, 8, 1);
    expect(endpoint().read(0x10004, new Uint8Array(4), 0, 4)).toBe(true);
    expect(counters()).toMatchObject({ bypassedBytes: 4, bypassedWhileDriverUp: 4 });
    expect(warnings).toEqual([]);
    expect(seen).toEqual([[8, 0x10004, 4, READ, 0x10004, true]]);
  });

  it('warns once per endpoint and session of DMA that nobody attached', () => {
    test.device.writeConfig(36, 1, 1);
    test.device.reset();
    endpoint().read(0x10000, new Uint8Array(16), 0, 16);
    expect(warnings).toEqual([]);
    test.driver.up();
    endpoint().read(0x10000, new Uint8Array(16), 0, 16);
    endpoint().read(0x10000, new Uint8Array(16), 0, 16);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('0x8');
    expect(warnings[0]).toContain('4096');
    endpoint(9).read(0x10000, new Uint8Array(1), 0, 1);
    expect(warnings).toHaveLength(2);
    expect(counters()).toMatchObject({ bypassedBytes: 48, bypassedWhileDriverUp: 32 });
    test.device.reset();
    test.driver.up();
    endpoint().read(0x10000, new Uint8Array(16), 0, 16);
    expect(warnings).toHaveLength(3);
  });

  it('does not warn of an endpoint that was attached once', () => {
    test.device.writeConfig(36, 1, 1);
    test.driver.attach(1, 8);
    test.driver.detach(1, 8);
    endpoint().read(0x10000, new Uint8Array(16), 0, 16);
    expect(warnings).toEqual([]);
    expect(counters().bypassedWhileDriverUp).toBe(16);
  });

  it('changes its generation with all that can take a window away, and with nothing else', () => {
    const changes = (step: () => void) => {
      const before = endpoint().generation;
      step();
      return endpoint().generation > before;
    };
    const { driver, device } = test;
    expect(changes(() => driver.attach(1, 8))).toBe(true);
    expect(changes(() => driver.attach(1, 8))).toBe(false);
    expect(changes(() => driver.map(1, 0x5000, 0x5fff, 0x10000))).toBe(false);
    expect(changes(() => driver.unmap(1, 0x6000, 0x6fff))).toBe(false);
    expect(changes(() => driver.unmap(1, 0x5000, 0x5fff))).toBe(true);
    driver.attach(2, 9);
    driver.map(2, 0x5000, 0x5fff, 0x10000);
    expect(changes(() => driver.unmap(2, 0x5000, 0x5fff))).toBe(false);
    expect(changes(() => device.writeConfig(36, 1, 1))).toBe(false);
    expect(changes(() => driver.attach(2, 8))).toBe(true);
    expect(changes(() => driver.detach(2, 8))).toBe(true);
    expect(changes(() => device.writeConfig(36, 1, 0))).toBe(true);
    expect(changes(() => memory.setRegions([]))).toBe(true);
    driver.attach(1, 8);
    expect(changes(() => device.reset())).toBe(true);
  });

  it('ends a window after many joined mappings, so that no guest makes it long', () => {
    const backend = new NaiveBackend({ pageSizeMask: 1n });
    const { driver, device } = createTestDevice({}, undefined, backend);
    driver.attach(1, 8);
    for (let address = 0; address < 1500; address++) {
      driver.map(1, address, address, 0x10000 + address);
    }
    expect(device.endpointMemory(8, memory).window(0, 1500, READ, out)).toBe(1024);
    expect(device.endpointMemory(8, memory).window(1024, 476, READ, out)).toBe(476);
  });

  it('survives any address and length', () => {
    test.driver.attach(1, 8);
    test.device.writeConfig(36, 1, 1);
    for (const id of [8, 9]) {
      for (const address of [0, 0xffff, 2 ** 48, Number.MAX_SAFE_INTEGER]) {
        expect(endpoint(id).window(address, 2 ** 32, READ, out)).toBe(DENIED);
        expect(endpoint(id).read(address, new Uint8Array(8), 0, 8)).toBe(false);
        expect(endpoint(id).write(address, new Uint8Array(8), 0, 8)).toBe(false);
      }
    }
  });
});
