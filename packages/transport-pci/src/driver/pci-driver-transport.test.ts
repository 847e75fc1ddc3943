import type { AccessWidth } from '@viommu/virtqueue';
import { RecordingDevice } from '@viommu/virtqueue/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { RecordingHost } from '../testing/recording-host.ts';
import { createVirtioPciFunction, type VirtioPciFunction } from '../virtio/virtio-pci-function.ts';
import type { PciDriverAccess } from './pci-driver-access.ts';
import { createPciDriverTransport, type PciDriverTransport } from './pci-driver-transport.ts';

const VERSION_1 = 1n << 32n;
const RING_RESET = 1n << 40n;
const QUEUE = { size: 16, descriptorArea: 0x1_0000_1000, driverArea: 0x2000, deviceArea: 0x3000 };

/** A function of which a driver sees what a test says. */
function accessTo(
  pci: VirtioPciFunction,
  { readBar, writeBar }: Partial<PciDriverAccess>,
): PciDriverAccess {
  return {
    readConfig: (offset, width) => pci.readConfig(offset, width),
    writeConfig: (offset, width, value) => pci.writeConfig(offset, width, value),
    readBar: readBar ?? ((bar, offset, width) => pci.readBar(bar, offset, width)),
    writeBar: writeBar ?? ((bar, offset, width, value) => pci.writeBar(bar, offset, width, value)),
  };
}

describe('PciDriverTransport', () => {
  let device: RecordingDevice;
  let host: RecordingHost;
  let pci: VirtioPciFunction;
  let driver: PciDriverTransport;

  beforeEach(() => {
    device = new RecordingDevice({ deviceId: 23, deviceFeatures: 0x2_0000_0005n });
    host = new RecordingHost();
    pci = createVirtioPciFunction({ device });
    pci.connect(host);
    driver = createPciDriverTransport(pci);
  });

  function negotiate() {
    driver.writeStatus(0);
    driver.writeStatus(1);
    driver.writeStatus(3);
    driver.writeDriverFeatures(VERSION_1 | 4n);
    driver.writeStatus(0xb);
    expect(driver.readStatus()).toBe(0xb);
  }

  it('finds the device, and allows it memory and bus mastering', () => {
    expect(driver.deviceId).toBe(23);
    expect(driver.queueCount).toBe(2);
    expect(driver.msixVectors).toBe(3);
    expect(pci.readConfig(0x04, 2)).toBe(0x0006);
  });

  it('reads and writes features of 64 bits', () => {
    expect(driver.readDeviceFeatures() & 0x3_0000_0005n).toBe(0x3_0000_0005n);
    negotiate();
    pci.writeBar(0, 0x08, 4, 0);
    expect(pci.readBar(0, 0x0c, 4)).toBe(4);
    pci.writeBar(0, 0x08, 4, 1);
    expect(pci.readBar(0, 0x0c, 4)).toBe(1);
  });

  it('reaches the device configuration', () => {
    expect(driver.configSize).toBe(12);
    driver.writeConfig(4, 4, 0x12345678);
    expect(device.config.getUint32(4, true)).toBe(0x12345678);
    expect(driver.readConfig(6, 2)).toBe(0x1234);
    expect(driver.readConfigGeneration()).toBe(pci.readBar(0, 0x15, 1));
  });

  it('brings up a queue and kicks it', () => {
    negotiate();
    expect(driver.queueMaxSize(0)).toBe(256);
    expect(driver.queueMaxSize(1)).toBe(64);
    expect(driver.queueMaxSize(2)).toBe(0);
    driver.enableQueue(1, QUEUE);
    driver.writeStatus(0xf);
    expect(pci.readBar(0, 0x16, 2)).toBe(1);
    expect(pci.readBar(0, 0x18, 2)).toBe(16);
    expect([0x20, 0x24, 0x28, 0x30].map((field) => pci.readBar(0, field, 4))).toEqual([
      0x1000, 1, 0x2000, 0x3000,
    ]);
    expect(pci.readBar(0, 0x1c, 2)).toBe(1);
    driver.notifyQueue(1);
    pci.service();
    expect(device.calls.at(-1)).toBe('notify 1');
    expect(() => driver.notifyQueue(2)).toThrowError(
      expect.objectContaining({ code: 'QUEUE_INDEX' }),
    );
  });

  it.each([
    ['its index', VERSION_1, [0x3004, 2, 1], [0x3004, 4, 0x8005_0001]],
    [
      'what the device calls it',
      VERSION_1 | (1n << 39n),
      [0x3004, 2, 0xabcd],
      [0x3004, 4, 0x8005_abcd],
    ],
  ])('names a queue in a kick by %s', (_what, features, short, long) => {
    const kicks: number[][] = [];
    const access = accessTo(pci, {
      // queue_notif_config_data of queue 1.
      readBar: (bar, offset, width) =>
        offset === 0x38 && pci.readBar(0, 0x16, 2) === 1 ? 0xabcd : pci.readBar(bar, offset, width),
      writeBar(bar, offset, width, value) {
        if (offset >= 0x3000) kicks.push([offset, width, value]);
        pci.writeBar(bar, offset, width, value);
      },
    });
    driver = createPciDriverTransport(access);
    for (const status of [0, 1, 3]) driver.writeStatus(status);
    driver.writeDriverFeatures(features | 4n);
    driver.writeStatus(0xb);
    driver.enableQueue(1, QUEUE);
    driver.writeStatus(0xf);
    // VIRTIO_F_NOTIFICATION_DATA: the value in the lower half, next_off and next_wrap in the upper.
    for (const next of [undefined, 0x8005]) {
      device.calls.length = 0;
      driver.notifyQueue(1, next);
      pci.service();
      expect(device.calls).toEqual(['notify 1']);
    }
    expect(kicks).toEqual([short, long]);
  });

  it('accepts VIRTIO_F_NOTIF_CONFIG_DATA by itself', () => {
    expect(driver.transportFeatures).toBe(1n << 39n);
  });

  it('has the device interrupt by messages', () => {
    negotiate();
    driver.useMsix([
      { address: 0xfee00000, data: 0x30 },
      { address: 0xfee00000, data: 0x31 },
      { address: 0x1_fee00000, data: 0x32 },
    ]);
    driver.enableQueue(0, QUEUE);
    driver.enableQueue(1, QUEUE);
    driver.writeStatus(0xf);
    device.context?.interrupts.configChange();
    device.context?.interrupts.usedBuffer(0);
    device.context?.interrupts.usedBuffer(1);
    expect(host.messages).toEqual([
      [0, 0xfee00000, 0x30],
      [1, 0xfee00000, 0x31],
      [2, 0x1_fee00000, 0x32],
    ]);
  });

  it('shares the last message between queues', () => {
    negotiate();
    driver.useMsix([{ address: 0xfee00000, data: 0x30 }]);
    driver.enableQueue(0, QUEUE);
    driver.enableQueue(1, QUEUE);
    driver.writeStatus(0xf);
    device.context?.interrupts.usedBuffer(1);
    expect(host.messages).toEqual([[0, 0xfee00000, 0x30]]);
  });

  it('maps the vectors again after a device reset', () => {
    negotiate();
    driver.useMsix([{ address: 0xfee00000, data: 0x30 }]);
    negotiate();
    driver.enableQueue(0, QUEUE);
    expect(pci.readBar(0, 0x10, 2)).toBe(0);
    expect(pci.readBar(0, 0x1a, 2)).toBe(0);
  });

  it('leaves INTx alone when no message was asked for', () => {
    negotiate();
    driver.enableQueue(0, QUEUE);
    expect(pci.readBar(0, 0x10, 2)).toBe(0xffff);
    expect(pci.readBar(0, 0x1a, 2)).toBe(0xffff);
  });

  it.each([1, 2, 2048])('drives a function of %d vectors', (msixVectors) => {
    pci = createVirtioPciFunction({ device, msixVectors });
    pci.connect(host);
    driver = createPciDriverTransport(pci);
    expect(driver.msixVectors).toBe(msixVectors);
    negotiate();
    const messages = Array.from({ length: Math.min(msixVectors, 3) }, (_, vector) => ({
      address: 0xfee00000,
      data: 0x30 + vector,
    }));
    driver.useMsix(messages);
    driver.enableQueue(0, QUEUE);
    driver.writeStatus(0xf);
    device.context?.interrupts.usedBuffer(0);
    const vector = Math.min(1, messages.length - 1);
    expect(host.messages).toEqual([[vector, 0xfee00000, 0x30 + vector]]);
  });

  it('says so when a vector is not mapped', () => {
    const refusing = accessTo(pci, {
      readBar: (bar, offset, width) => (offset === 0x10 ? 0xffff : pci.readBar(bar, offset, width)),
    });
    expect(() =>
      createPciDriverTransport(refusing).useMsix([{ address: 0xfee00000, data: 0 }]),
    ).toThrowError(expect.objectContaining({ code: 'MSIX_VECTORS' }));
  });

  it('writes what a driver writes alone, a queue before it is enabled, and leaves ISR status alone', () => {
    const writes: [number, number][] = [];
    const reads = new Set<number>();
    driver = createPciDriverTransport(
      accessTo(pci, {
        readBar(bar, offset, width) {
          if (bar === 0) reads.add(offset);
          return pci.readBar(bar, offset, width);
        },
        writeBar(bar, offset, width, value) {
          if (bar === 0) writes.push([offset, value]);
          pci.writeBar(bar, offset, width, value);
        },
      }),
    );
    for (const status of [0, 1, 3]) driver.writeStatus(status);
    driver.readDeviceFeatures();
    driver.writeDriverFeatures(VERSION_1 | RING_RESET);
    driver.writeStatus(0xb);
    driver.useMsix([{ address: 0xfee00000, data: 0x30 }]);
    writes.length = 0;
    driver.enableQueue(0, { ...QUEUE, descriptorArea: 0x1000 });
    expect(writes.map(([offset]) => offset)).toEqual([
      ...[0x16, 0x18, 0x20, 0x24, 0x28, 0x2c, 0x30, 0x34, 0x1a, 0x1c],
    ]);
    driver.writeStatus(0xf);
    device.context?.interrupts.usedBuffer(0);
    driver.notifyQueue(0);
    driver.resetQueue(0);
    driver.readConfigGeneration();
    driver.readConfig(0, 4);
    // device_feature 0x04, num_queues 0x12, config_generation 0x15, queue_notify_off 0x1e, queue_notif_config_data 0x38.
    const readOnly = new Set([0x04, 0x12, 0x15, 0x1e, 0x38]);
    expect(writes.filter(([offset]) => readOnly.has(offset))).toEqual([]);
    expect(writes.filter(([offset, value]) => offset === 0x1c && value === 0)).toEqual([]);
    expect(reads.has(0x1000)).toBe(false);
  });

  it('refuses more messages than the function has vectors', () => {
    const messages = new Array(4).fill({ address: 0xfee00000, data: 0 });
    for (const some of [messages, []]) {
      expect(() => driver.useMsix(some)).toThrowError(
        expect.objectContaining({ code: 'MSIX_VECTORS' }),
      );
    }
  });
});

describe('createPciDriverTransport', () => {
  /** A function of which only configuration space answers. */
  function configOnly(bytes: Record<number, number>): PciDriverAccess {
    return {
      readConfig(offset: number, width: AccessWidth) {
        let value = 0;
        for (let byte = 0; byte < width; byte++) value += (bytes[offset + byte] ?? 0) * 256 ** byte;
        return value;
      },
      writeConfig() {},
      readBar: () => 0,
      writeBar() {},
    };
  }

  const ids = { 0: 0xf4, 1: 0x1a, 2: 0x57, 3: 0x10 };

  it.each([
    ['another vendor', { ...ids, 0: 0xf5 }],
    ['a transitional ID that no device type has', { ...ids, 2: 0x06, 3: 0x10 }],
    ['a device ID below those of virtio', { ...ids, 2: 0x3f }],
    ['a device ID beyond virtio', { ...ids, 2: 0x80 }],
    ['no function at all', { 0: 0xff, 1: 0xff, 2: 0xff, 3: 0xff }],
  ])('refuses %s', (_, bytes) => {
    expect(() => createPciDriverTransport(configOnly(bytes))).toThrowError(
      expect.objectContaining({ code: 'NOT_VIRTIO' }),
    );
  });

  const common = { 64: 9, 65: 0x50, 66: 16, 67: 1, 76: 0x40 };
  const notify = { 80: 9, 81: 0, 82: 20, 83: 2, 92: 8 };
  const whole = { ...ids, 6: 0x10, 52: 0x40, ...common, ...notify };

  it('takes a list with just the structures that it needs', () => {
    const driver = createPciDriverTransport(configOnly(whole));
    expect([driver.deviceId, driver.configSize, driver.msixVectors]).toEqual([0x17, 0, 0]);
  });

  it.each([
    [0x1041, 1],
    [0x107f, 63],
    [0x1000, 1],
    [0x1001, 2],
    [0x1002, 5],
    [0x1003, 3],
    [0x1004, 8],
    [0x1005, 4],
    [0x1009, 9],
  ])('takes PCI device ID %d for type %d, whatever the revision', (pciId, type) => {
    for (const revision of [0, 1, 0xff]) {
      const bytes = { ...whole, 2: pciId & 0xff, 3: pciId >> 8, 8: revision };
      expect(createPciDriverTransport(configOnly(bytes)).deviceId).toBe(type);
    }
  });

  it('passes over capabilities that it does not know, takes longer ones, and writes to none', () => {
    const unknown = { 64: 9, 65: 0x80, 66: 16, 67: 0x77, 68: 0, 76: 0x40 };
    // The common configuration, with a cap_len of 32 and a length of 4 GiB less one.
    const long = { 128: 9, 129: 0x50, 130: 32, 131: 1, 140: 0xff, 141: 0xff, 142: 0xff, 143: 0xff };
    const access = configOnly({ ...ids, 6: 0x10, 52: 0x40, ...unknown, ...long, ...notify });
    const written: number[] = [];
    const driver = createPciDriverTransport({
      ...access,
      writeConfig: (offset) => written.push(offset),
    });
    expect(driver.deviceId).toBe(0x17);
    // The command register.
    expect(written).toEqual([4]);
  });

  it.each([
    ['no capability list', { ...whole, 6: 0 }, 'common configuration'],
    ['a list that ends at once', { ...whole, 52: 0 }, 'common configuration'],
    ['a list that is a loop', { ...whole, 64: 5, 81: 0x40 }, 'common configuration'],
    ['its structure in a reserved BAR', { ...whole, 68: 6 }, 'common configuration'],
    ['too short a structure', { ...whole, 76: 0x37 }, '55 bytes'],
    [
      'too short a structure first, a good one after it',
      { ...whole, 76: 0x37, 81: 0x64, 100: 9, 102: 16, 103: 1, 112: 0x40 },
      '55 bytes',
    ],
    ['no notification structure', { ...whole, 65: 0 }, 'notification'],
  ])('refuses a virtio device with %s', (_, bytes, message) => {
    expect(() => createPciDriverTransport(configOnly(bytes))).toThrowError(
      expect.objectContaining({
        code: 'VIRTIO_CAPABILITY',
        message: expect.stringContaining(message),
      }),
    );
  });

  it.each<[string, number, number, (driver: PciDriverTransport) => void]>([
    ['a device', 0x14, 0x40, (driver) => driver.writeStatus(0)],
    ['a queue', 0x3a, 1, (driver) => driver.resetQueue(0)],
  ])('gives up on %s that stays in reset', (_what, field, value, reset) => {
    const pci = createVirtioPciFunction({ device: new RecordingDevice() });
    pci.connect(new RecordingHost());
    const stuck = accessTo(pci, {
      readBar: (bar, offset, width) => (offset === field ? value : pci.readBar(bar, offset, width)),
    });
    expect(() => reset(createPciDriverTransport(stuck))).toThrowError(
      expect.objectContaining({ code: 'RESET_TIMEOUT' }),
    );
  });

  it('says when the device has no configuration to read', () => {
    const pci = createVirtioPciFunction({ device: new RecordingDevice({ configSize: 0 }) });
    pci.connect(new RecordingHost());
    expect(() => createPciDriverTransport(pci).readConfig(0, 4)).toThrowError(
      expect.objectContaining({ code: 'NO_DEVICE_CONFIG' }),
    );
  });
});
