import { pciFunctionSuite, RecordingHost } from '@viommu/transport-pci/testing';
import { ArrayGuestMemory, type MappedMemory } from '@viommu/virtqueue';
import { beforeEach, describe, expect, it } from 'vitest';
import { DmaEngineDriver } from '../driver/dma-engine-driver.ts';
import { DmaEngineFunction, type DmaEngineOptions } from './dma-engine-function.ts';

pciFunctionSuite('DmaEngineFunction', () => new DmaEngineFunction());

const READ = 1;
const WRITE = 2;
const [BUSY, DONE, ERROR] = [1, 2, 3];
const MESSAGE = { address: 0xfee0_1000, data: 0x4021 };
const RAM = 0x10000;

describe('DmaEngineFunction', () => {
  let bytes: Uint8Array;
  let memory: ArrayGuestMemory;
  let host: RecordingHost;
  let engine: DmaEngineFunction;
  const plugIn = (options?: DmaEngineOptions): void => {
    engine = new DmaEngineFunction(options);
    engine.connect(host);
  };
  /** How often the driver waited. */
  let waits: number;
  const driver = (): DmaEngineDriver =>
    new DmaEngineDriver({
      access: engine,
      message: MESSAGE,
      wait: () => {
        waits += 1;
        engine.service();
        return waits < 10_000;
      },
    });

  beforeEach(() => {
    bytes = new Uint8Array(0x2_0000).map((_, index) => index ^ (index >> 8));
    memory = new ArrayGuestMemory([{ base: RAM, buffer: bytes.buffer }]);
    host = new RecordingHost({ memory });
    waits = 0;
    plugIn();
  });

  it('copies, and interrupts once', () => {
    const expected = bytes.slice(0x123, 0x123 + 10_000);
    const result = driver().copy(RAM + 0x123, RAM + 0x5456, 10_000);
    expect(result).toEqual({ done: true, errorAddress: 0, errorAccess: 0 });
    expect(bytes.slice(0x5456, 0x5456 + 10_000)).toEqual(expected);
    expect(host.messages).toEqual([[0, MESSAGE.address, MESSAGE.data]]);
  });

  it('gives others their turn in a long copy', () => {
    const large = new Uint8Array(0x30_0000).map((_, index) => index ^ (index >> 8));
    host = new RecordingHost({ memory: new ArrayGuestMemory([{ base: 0, buffer: large.buffer }]) });
    plugIn();
    expect(driver().copy(0, 0x18_0000, 0x18_0000).done).toBe(true);
    expect(waits).toBe(6);
    const half = (start: number) => Buffer.from(large.buffer, start, 0x18_0000);
    expect(half(0x18_0000).equals(half(0))).toBe(true);
  });

  it.each([
    ['a source that is not there', RAM - 0x1000, RAM, RAM - 0x1000, READ],
    ['a source that ends', RAM + 0x1_f000, RAM, RAM + 0x2_0000, READ],
    ['a destination that is not there', RAM, 0xdead_beef_0123, 0xdead_beef_0123, WRITE],
    ['a source beyond all numbers', 2 ** 53, RAM, 2 ** 53 - 1, READ],
  ])('stops at %s, says where, and interrupts', (_, source, destination, address, access) => {
    const result = driver().copy(source, destination, 0x3000);
    expect(result).toEqual({ done: false, errorAddress: address, errorAccess: access });
    expect(host.messages).toHaveLength(1);
  });

  it('forgets an error with the next copy', () => {
    const own = driver();
    expect(own.copy(0, RAM, 1).done).toBe(false);
    expect(own.copy(RAM, RAM + 1, 1)).toEqual({ done: true, errorAddress: 0, errorAccess: 0 });
    expect(engine.readBar(0, 0x28, 4)).toBe(0);
  });

  it('copies nothing when it is asked for nothing, and says so', () => {
    expect(driver().copy(0, 0, 0).done).toBe(true);
    expect(host.messages).toHaveLength(1);
  });

  it('waits for bus mastering', () => {
    engine.writeBar(0, 0x08, 4, RAM);
    engine.writeBar(0, 0x10, 4, RAM + 0x100);
    engine.writeBar(0, 0x18, 4, 4);
    engine.writeBar(0, 0x1c, 4, 1);
    expect(engine.service()).toBe(false);
    expect(engine.readBar(0, 0x04, 4)).toBe(BUSY);
    engine.writeConfig(4, 2, 4);
    expect(engine.service()).toBe(false);
    expect(engine.readBar(0, 0x04, 4)).toBe(DONE);
  });

  it('keeps its registers while it copies, and has no others to write', () => {
    engine.writeConfig(4, 2, 4);
    engine.writeBar(0, 0x18, 4, 0x1_0000);
    engine.writeBar(0, 0x08, 4, RAM);
    engine.writeBar(0, 0x10, 4, RAM);
    engine.writeBar(0, 0x1c, 1, 1);
    engine.writeBar(0, 0x08, 4, 7);
    engine.writeBar(0, 0x1c, 4, 1);
    expect(engine.readBar(0, 0x08, 4)).toBe(RAM);
    while (engine.service());
    for (const register of [0x00, 0x04, 0x20, 0x24, 0x28, 0x2c, 0xffc]) {
      const before = engine.readBar(0, register, 4);
      engine.writeBar(0, register, 4, ~before >>> 0);
      expect(engine.readBar(0, register, 4)).toBe(before);
    }
    expect(String.fromCharCode(...[0, 1, 2, 3].map((at) => engine.readBar(0, at, 1)))).toBe('VDMA');
    expect(engine.readBar(0, 0x1c, 4)).toBe(0);
  });

  it('does not go on after a reset', () => {
    const before = bytes.slice();
    engine.writeConfig(4, 2, 4);
    engine.writeBar(0, 0x10, 4, RAM);
    engine.writeBar(0, 0x18, 4, 0x1000);
    engine.writeBar(0, 0x1c, 4, 1);
    engine.reset();
    engine.writeConfig(4, 2, 4);
    expect(engine.service()).toBe(false);
    expect(engine.readBar(0, 0x04, 4)).toBe(0);
    expect(bytes).toEqual(before);
  });

  it('tells of the memory that its host has, and works in the memory that is made of it', () => {
    const seen: (number | undefined)[] = [];
    const onMemory = (given: MappedMemory | undefined) => seen.push(given?.regions.length);
    const other = new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(0x1000) }]);
    plugIn({ onMemory, memory: () => other });
    expect(driver().copy(RAM, 0, 4).errorAddress).toBe(RAM);
    expect(driver().copy(0, 0x100, 4).done).toBe(true);
    memory.setRegions([]);
    engine.memoryChanged?.();
    engine.disconnect();
    expect(seen).toEqual([1, 0, undefined]);
    expect(
      () =>
        new DmaEngineDriver({
          access: {
            ...engine,
            readConfig: () => 0,
            writeConfig() {},
            readBar: () => 0,
            writeBar() {},
          },
          message: MESSAGE,
          wait: () => false,
        }),
    ).toThrow(expect.objectContaining({ code: 'NOT_A_DMA_ENGINE' }));
  });

  it('tells of each start', () => {
    const starts: number[][] = [];
    plugIn({ onStart: (...start) => starts.push(start) });
    driver().copy(0xabcd_0123_4567, RAM, 12);
    expect(starts).toEqual([[0xabcd_0123_4567, RAM, 12]]);
    expect(engine.readBar(0, 0x04, 4)).toBe(ERROR);
  });

  it('has one host at a time', () => {
    expect(() => engine.connect(host)).toThrow(expect.objectContaining({ code: 'PCI_CONNECTED' }));
  });
});
