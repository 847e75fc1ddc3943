import { RecordingDevice } from '@viommu/virtqueue/testing';
import { describe, expect, it } from 'vitest';
import { createVirtioPciFunction, type VirtioPciFunctionOptions } from './virtio-pci-function.ts';

function configBytes(options: Partial<VirtioPciFunctionOptions> = {}) {
  const pci = createVirtioPciFunction({ device: new RecordingDevice(), ...options });
  return (from: number, to: number) =>
    Array.from({ length: to - from }, (_, at) => pci.readConfig(from + at, 1));
}

describe('configuration space of a virtio function', () => {
  it('has the IDs of a modern device', () => {
    const bytes = configBytes();
    expect(bytes(0x00, 0x10)).toEqual([
      0xf4, 0x1a, 0x44, 0x10, 0, 0, 0x10, 0, 0x01, 0x00, 0xff, 0x00, 0, 0, 0, 0,
    ]);
    expect(bytes(0x2c, 0x40)).toEqual([
      0xf4, 0x1a, 0x44, 0x10, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0,
    ]);
  });

  it.each([
    [1, 0x020000],
    [2, 0x010000],
    [4, 0x00ff00],
    [23, 0x00ff00],
  ])('presents device type %i as class %i', (deviceId, classCode) => {
    const bytes = configBytes({ device: new RecordingDevice({ deviceId }) });
    expect(bytes(0x02, 0x04)).toEqual([0x40 + deviceId, 0x10]);
    expect(bytes(0x09, 0x0c)).toEqual([classCode & 0xff, (classCode >> 8) & 0xff, classCode >> 16]);
  });

  it('takes class and subsystem from the options', () => {
    const bytes = configBytes({
      classCode: 0x080600,
      subsystemVendorId: 0x1234,
      subsystemId: 0x5678,
    });
    expect(bytes(0x09, 0x0c)).toEqual([0x00, 0x06, 0x08]);
    expect(bytes(0x2c, 0x30)).toEqual([0x34, 0x12, 0x78, 0x56]);
  });

  it('lists MSI-X, common, notify, ISR, device and PCI configuration access', () => {
    expect(configBytes()(0x40, 0xa4)).toEqual([
      // MSI-X at 0x40: three vectors, table and pending bits in BAR 1
      0x11, 0x4c, 2, 0, 0x01, 0, 0, 0, 0x01, 0x08, 0, 0,
      // common configuration at 0x4c: BAR 0, offset 0, 64 bytes
      0x09, 0x5c, 16, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0,
      // notifications at 0x5c: BAR 0, offset 0x3000, two queues, multiplier 4
      0x09, 0x70, 20, 2, 0, 0, 0, 0, 0, 0x30, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0,
      // ISR status at 0x70: BAR 0, offset 0x1000, one byte
      0x09, 0x80, 16, 3, 0, 0, 0, 0, 0, 0x10, 0, 0, 1, 0, 0, 0,
      // device-specific configuration at 0x80: BAR 0, offset 0x2000, 12 bytes
      0x09, 0x90, 16, 4, 0, 0, 0, 0, 0, 0x20, 0, 0, 12, 0, 0, 0,
      // PCI configuration access at 0x90
      0x09, 0x00, 20, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
  });

  it('leaves out what the device does not have', () => {
    const device = new RecordingDevice({ configSize: 0 });
    expect(configBytes({ device, msixVectors: 0 })(0x40, 0x84)).toEqual([
      0x09, 0x50, 16, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0x09, 0x64, 20, 2, 0, 0, 0, 0, 0,
      0x30, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0, 0x09, 0x74, 16, 3, 0, 0, 0, 0, 0, 0x10, 0, 0, 1, 0, 0, 0,
      0x09, 0x00, 20, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
  });

  it.each([0, 1, 2, 7, 1024])('has room for the notification of every queue: %d', (count) => {
    const device = new RecordingDevice({ queueMaxSizes: new Array<number>(count).fill(2) });
    const pci = createVirtioPciFunction({ device, msixVectors: 0 });
    // The notification capability at 0x50: offset 0x58, length 0x5c, notify_off_multiplier 0x60.
    const [offset, length, multiplier] = [0x58, 0x5c, 0x60].map((at) => pci.readConfig(at, 4));
    expect([offset! % 4, multiplier]).toEqual([0, 4]);
    expect(length).toBeGreaterThanOrEqual(4);
    for (let index = 0; index < count; index += 1) {
      pci.writeBar(0, 0x16, 2, index);
      expect(length).toBeGreaterThanOrEqual(pci.readBar(0, 0x1e, 2) * multiplier! + 4);
    }
    expect(offset! + length!).toBeLessThanOrEqual(pci.bars[0]!.size);
  });

  it('refuses a device that does not fit', () => {
    const refused = (device: RecordingDevice, code: string) =>
      expect(() => createVirtioPciFunction({ device })).toThrowError(
        expect.objectContaining({ code }),
      );
    refused(new RecordingDevice({ configSize: 4097 }), 'PCI_CONFIG_SIZE');
    refused(new RecordingDevice({ queueMaxSizes: new Array(1025).fill(2) }), 'PCI_QUEUES');
  });
});
