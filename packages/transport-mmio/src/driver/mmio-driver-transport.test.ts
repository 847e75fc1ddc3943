import { RecordingDevice } from '@viommu/virtqueue/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { RecordingMmioHost } from '../testing/recording-mmio-host.ts';
import { createVirtioMmioDevice, type VirtioMmioDevice } from '../virtio-mmio-device.ts';
import type { MmioDriverAccess } from './mmio-driver-access.ts';
import { createMmioDriverTransport, type MmioDriverTransport } from './mmio-driver-transport.ts';

const VERSION_1 = 1n << 32n;
const NOTIFICATION_DATA = 1n << 38n;
const RING_RESET = 1n << 40n;
const QUEUE = { size: 16, descriptorArea: 0x1_0000_1000, driverArea: 0x2000, deviceArea: 0x3000 };

describe('MmioDriverTransport', () => {
  let device: RecordingDevice;
  let mmio: VirtioMmioDevice;
  /** Each write, as offset and value. */
  let writes: [number, number][];
  let driver: MmioDriverTransport;

  beforeEach(() => {
    device = new RecordingDevice({ deviceId: 23, deviceFeatures: 0x2_0000_0005n });
    mmio = createVirtioMmioDevice({ device });
    mmio.connect(new RecordingMmioHost());
    writes = [];
    driver = createMmioDriverTransport({
      read(offset, width) {
        expect([offset % 4, width]).toEqual([0, 4]);
        return mmio.read(offset, width);
      },
      write(offset, width, value) {
        expect([offset % 4, width]).toEqual([0, 4]);
        writes.push([offset, value]);
        mmio.write(offset, width, value);
      },
    });
    writes.length = 0;
  });

  function negotiate(features = VERSION_1 | 4n) {
    for (const status of [0, 1, 3]) driver.writeStatus(status);
    driver.writeDriverFeatures(features);
    driver.writeStatus(0xb);
    expect(driver.readStatus()).toBe(0xb);
  }

  it('finds the device, and counts its queues', () => {
    expect([driver.deviceId, driver.queueCount]).toEqual([23, 2]);
  });

  it('reads and writes features of 64 bits', () => {
    for (let time = 0; time < 2; time += 1)
      expect(driver.readDeviceFeatures() & 0x3_0000_0005n).toBe(0x3_0000_0005n);
    negotiate();
    driver.writeStatus(0xf);
    expect(device.context?.driverFeatures).toBe(VERSION_1 | 4n);
  });

  it('writes a queue in the order of "Virtqueue Configuration", by halves', () => {
    negotiate();
    writes.length = 0;
    driver.enableQueue(1, QUEUE);
    expect(writes).toEqual([
      [0x030, 1],
      [0x038, 16],
      [0x080, 0x1000],
      [0x084, 1],
      [0x090, 0x2000],
      [0x094, 0],
      [0x0a0, 0x3000],
      [0x0a4, 0],
      [0x044, 1],
    ]);
    expect(() => driver.enableQueue(1, QUEUE)).toThrowError(
      expect.objectContaining({ code: 'QUEUE_IN_USE' }),
    );
  });

  it('touches no setting of a queue that is in use', () => {
    negotiate();
    driver.enableQueue(0, QUEUE);
    writes.length = 0;
    expect(() => driver.enableQueue(0, QUEUE)).toThrowError(
      expect.objectContaining({ code: 'QUEUE_IN_USE' }),
    );
    driver.notifyQueue(0);
    expect(writes).toEqual([
      [0x030, 0],
      [0x050, 0],
    ]);
  });

  it('kicks by index, or with a position', () => {
    negotiate(VERSION_1 | NOTIFICATION_DATA);
    driver.enableQueue(1, { ...QUEUE, descriptorArea: 0x1000 });
    driver.writeStatus(0xf);
    writes.length = 0;
    driver.notifyQueue(1);
    driver.notifyQueue(1, 0x8003);
    expect(writes).toEqual([
      [0x050, 1],
      [0x050, 0x8003_0001],
    ]);
    mmio.service();
    expect(device.calls.at(-1)).toBe('notify 1');
    expect(() => driver.notifyQueue(2)).toThrowError(
      expect.objectContaining({ code: 'QUEUE_INDEX' }),
    );
  });

  it('stops and resets queues', () => {
    negotiate(VERSION_1 | RING_RESET);
    driver.enableQueue(0, QUEUE);
    writes.length = 0;
    driver.stopQueue(0);
    driver.enableQueue(0, QUEUE);
    driver.resetQueue(0);
    expect(writes.slice(0, 2)).toEqual([
      [0x030, 0],
      [0x044, 0],
    ]);
    expect(writes.slice(-2)).toEqual([
      [0x030, 0],
      [0x0c0, 1],
    ]);
    driver.enableQueue(0, QUEUE);
  });

  it('acknowledges the events that it knows', () => {
    negotiate();
    driver.writeStatus(0xf);
    expect(driver.acknowledgeInterrupt()).toBe(0);
    device.context?.interrupts.usedBuffer(0);
    device.context?.interrupts.configChange();
    expect(driver.acknowledgeInterrupt()).toBe(3);
    expect(driver.acknowledgeInterrupt()).toBe(0);
    const acknowledged: number[] = [];
    const other = createMmioDriverTransport({
      read: (offset, width) => (offset === 0x060 ? 0xffff_fffe : mmio.read(offset, width)),
      write: (offset, _width, value) => {
        if (offset === 0x064) acknowledged.push(value);
      },
    });
    expect(other.acknowledgeInterrupt()).toBe(2);
    expect(acknowledged).toEqual([2]);
  });

  it('gives up on a device that stays as it is', () => {
    const stuck = (register: number): MmioDriverTransport =>
      createMmioDriverTransport({
        read: (offset, width) => (offset === register ? 1 : mmio.read(offset, width)),
        write: (offset, width, value) => mmio.write(offset, width, value),
      });
    const timeout = expect.objectContaining({ code: 'RESET_TIMEOUT' });
    expect(() => stuck(0x070).writeStatus(0)).toThrowError(timeout);
    expect(() => stuck(0x044).stopQueue(0)).toThrowError(timeout);
    expect(() => stuck(0x044).resetQueue(0)).toThrowError(timeout);
    expect(() => stuck(0x0c0).resetQueue(0)).toThrowError(timeout);
  });
});

describe('createMmioDriverTransport', () => {
  const registers = (values: Record<number, number>): MmioDriverAccess => ({
    read: (offset) => values[offset] ?? 0,
    write() {},
  });

  it.each([
    ['nothing', {}, 'NOT_VIRTIO'],
    ['what is not mapped', { 0: 0xffff_ffff }, 'NOT_VIRTIO'],
    ['a legacy device', { 0: 0x7472_6976, 4: 1, 8: 2 }, 'NOT_VIRTIO'],
    ['a placeholder', { 0: 0x7472_6976, 4: 2, 8: 0 }, 'NO_DEVICE'],
  ])('refuses %s', (_what, values, code) => {
    expect(() => createMmioDriverTransport(registers(values))).toThrowError(
      expect.objectContaining({ code }),
    );
  });

  it('looks at the ID of a placeholder, and at nothing behind it', () => {
    const reads: number[] = [];
    const { read } = registers({ 0: 0x7472_6976, 4: 2, 8: 0 });
    const access: MmioDriverAccess = {
      read(offset, width) {
        reads.push(offset);
        return read(offset, width);
      },
      write: () => expect.unreachable(),
    };
    expect(() => createMmioDriverTransport(access)).toThrowError(
      expect.objectContaining({ code: 'NO_DEVICE' }),
    );
    expect(reads).toEqual([0, 4, 8]);
  });

  it('reads what can be read, writes what can be written, and knows no other register', () => {
    const reads = new Set<number>();
    const writes = new Set<number>();
    const mmio = createVirtioMmioDevice({ device: new RecordingDevice({ deviceId: 23 }) });
    mmio.connect(new RecordingMmioHost());
    const driver = createMmioDriverTransport({
      read(offset, width) {
        reads.add(offset);
        return mmio.read(offset, width);
      },
      write(offset, width, value) {
        writes.add(offset);
        mmio.write(offset, width, value);
      },
    });
    for (const status of [0, 1, 3]) driver.writeStatus(status);
    driver.readDeviceFeatures();
    driver.writeDriverFeatures(VERSION_1 | RING_RESET);
    driver.writeStatus(0xb);
    driver.enableQueue(0, QUEUE);
    driver.stopQueue(0);
    driver.enableQueue(0, QUEUE);
    driver.writeStatus(0xf);
    driver.notifyQueue(0);
    driver.acknowledgeInterrupt();
    driver.resetQueue(0);
    driver.readConfigGeneration();
    driver.readConfig(0, 4);
    driver.writeConfig(4, 4, 1);
    // "MMIO Device Register Layout": direction R or RW, and direction W or RW; no shared memory.
    const readable = [0, 4, 8, 0x10, 0x34, 0x44, 0x60, 0x70, 0xc0, 0xfc, 0x100];
    const writable = [
      ...[0x14, 0x20, 0x24, 0x30, 0x38, 0x44, 0x50, 0x64, 0x70, 0x80, 0x84],
      ...[0x90, 0x94, 0xa0, 0xa4, 0xc0, 0x104],
    ];
    expect([...reads].filter((offset) => !readable.includes(offset))).toEqual([]);
    expect([...writes].filter((offset) => !writable.includes(offset))).toEqual([]);
    expect([reads.has(0x60), writes.has(0x50)]).toEqual([true, true]);
  });

  it('counts no more queues than can be kicked', () => {
    const endless = registers({ 0: 0x7472_6976, 4: 2, 8: 1, 52: 8 });
    expect(createMmioDriverTransport(endless).queueCount).toBe(0x1_0000);
  });
});
