import type { GuestMemory } from '@viommu/virtqueue';
import { beforeEach, describe, expect, it } from 'vitest';
import { RecordingDevice } from '../testing/recording-device.ts';
import { absentMemory, RecordingHost } from '../testing/recording-host.ts';
import { createVirtioPciFunction, type VirtioPciFunctionOptions } from './virtio-pci-function.ts';

// Offsets in BAR 0.
const STATUS = 0x14;
const QUEUE_SELECT = 0x16;
const ISR = 0x1000;
const DEVICE = 0x2000;
const NOTIFY = 0x3000;

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

  it('refuses a device that does not fit', () => {
    const refused = (device: RecordingDevice, code: string) =>
      expect(() => createVirtioPciFunction({ device })).toThrowError(
        expect.objectContaining({ code }),
      );
    refused(new RecordingDevice({ configSize: 4097 }), 'PCI_CONFIG_SIZE');
    refused(new RecordingDevice({ queueMaxSizes: new Array(1025).fill(2) }), 'PCI_QUEUES');
  });
});

describe('a virtio function at work', () => {
  let device: RecordingDevice;
  let host: RecordingHost;
  let resets: number;
  let pci: ReturnType<typeof createVirtioPciFunction>;

  function plugIn(options: Partial<VirtioPciFunctionOptions> = {}) {
    device = new RecordingDevice();
    host = new RecordingHost();
    resets = 0;
    pci = createVirtioPciFunction({ device, onReset: () => resets++, ...options });
    pci.connect(host);
    device.calls.length = 0;
  }

  beforeEach(() => plugIn());

  const common = (offset: number, width: 1 | 2 | 4, value: number) =>
    pci.writeBar(0, offset, width, value);

  function enableQueue(index: number) {
    common(QUEUE_SELECT, 2, index);
    common(0x18, 2, 16);
    common(0x20, 4, 0x1000 * (index + 1));
    common(0x28, 4, 0x1000 * (index + 1) + 0x400);
    common(0x30, 4, 0x1000 * (index + 1) + 0x800);
    common(0x1c, 2, 1);
  }

  /** ACKNOWLEDGE, DRIVER, VIRTIO_F_VERSION_1 and VIRTIO_F_RING_RESET, FEATURES_OK, queue 0, DRIVER_OK. */
  function bringUp() {
    pci.writeConfig(0x04, 2, 0x0006);
    common(STATUS, 1, 1);
    common(STATUS, 1, 3);
    common(0x08, 4, 1);
    common(0x0c, 4, 0x101);
    common(STATUS, 1, 0xb);
    enableQueue(0);
    common(STATUS, 1, 0xf);
    expect(pci.readBar(0, STATUS, 1)).toBe(0xf);
    expect(device.calls).toEqual(['activate']);
    device.calls.length = 0;
  }

  it('notes kicks, and hands them over in service', () => {
    bringUp();
    pci.writeBar(0, NOTIFY, 2, 0);
    expect(device.calls).toEqual([]);
    expect(pci.service()).toBe(false);
    expect(device.calls).toEqual(['notify 0']);
  });

  it('keeps kicks while Bus Master is off', () => {
    bringUp();
    pci.writeConfig(0x04, 2, 0x0002);
    pci.writeBar(0, NOTIFY, 2, 0);
    expect(pci.service()).toBe(false);
    expect(device.calls).toEqual([]);
    pci.writeConfig(0x04, 2, 0x0006);
    pci.service();
    expect(device.calls).toEqual(['notify 0']);
  });

  it('takes the queue of a kick from its address', () => {
    bringUp();
    enableQueue(1);
    pci.writeBar(0, NOTIFY + 4, 2, 1);
    pci.service();
    expect(device.calls).toEqual(['notify 1']);
    pci.writeBar(0, NOTIFY + 8, 2, 2);
    pci.service();
    expect(device.calls).toEqual(['notify 1']);
  });

  it('gives the device the memory of the options, made from the host that is plugged in', () => {
    const views: GuestMemory[] = [];
    const view = { ...absentMemory };
    plugIn({
      memory: (memory) => {
        views.push(memory);
        return view;
      },
    });
    expect(views).toEqual([host.memory]);
    bringUp();
    expect(device.context?.memory).toBe(view);
  });

  it('asserts INTx until ISR status is read', () => {
    bringUp();
    device.context?.interrupts.usedBuffer(0);
    device.context?.interrupts.usedBuffer(0);
    expect(host.intxLevels).toEqual([true]);
    expect(pci.readConfig(0x06, 2) & 0x08).toBe(0x08);
    expect(pci.readBar(0, ISR, 1)).toBe(1);
    expect(host.intxLevels).toEqual([true, false]);
    expect(pci.readConfig(0x06, 2) & 0x08).toBe(0);
    expect(pci.readBar(0, ISR, 1)).toBe(0);
  });

  it('tells configuration changes by bit 1 of ISR status', () => {
    bringUp();
    device.context?.interrupts.configChange();
    device.context?.interrupts.usedBuffer(0);
    expect(pci.readBar(0, ISR, 1)).toBe(3);
  });

  it('leaves the line alone while Interrupt Disable is set', () => {
    bringUp();
    pci.writeConfig(0x04, 2, 0x0406);
    device.context?.interrupts.usedBuffer(0);
    expect(host.intxLevels).toEqual([]);
    pci.writeConfig(0x04, 2, 0x0006);
    expect(host.intxLevels).toEqual([true]);
  });

  it('sends messages instead while MSI-X is enabled, and none without a vector', () => {
    bringUp();
    pci.writeConfig(0x42, 2, 0x8000);
    for (const vector of [0, 1, 2]) {
      pci.writeBar(1, 16 * vector, 4, 0xfee00000);
      pci.writeBar(1, 16 * vector + 8, 4, 0x40 + vector);
      pci.writeBar(1, 16 * vector + 12, 4, 0);
    }
    device.context?.interrupts.usedBuffer(0);
    device.context?.interrupts.configChange();
    expect(host.messages).toEqual([]);
    common(0x10, 2, 0);
    common(QUEUE_SELECT, 2, 0);
    common(0x1a, 2, 2);
    device.context?.interrupts.usedBuffer(0);
    device.context?.interrupts.configChange();
    expect(host.messages).toEqual([
      [2, 0xfee00000, 0x42],
      [0, 0xfee00000, 0x40],
    ]);
    expect(host.intxLevels).toEqual([]);
    expect(pci.readConfig(0x06, 2) & 0x08).toBe(0);
    // "the device MUST set the Device Configuration Interrupt bit in ISR status", also with MSI-X.
    expect(pci.readBar(0, ISR, 1)).toBe(2);
  });

  it('answers NO_VECTOR for a vector that it does not have', () => {
    for (const field of [0x10, 0x1a]) {
      expect(pci.readBar(0, field, 2)).toBe(0xffff);
      common(field, 2, 2);
      expect(pci.readBar(0, field, 2)).toBe(2);
      common(field, 2, 3);
      expect(pci.readBar(0, field, 2)).toBe(0xffff);
    }
    common(QUEUE_SELECT, 2, 2);
    common(0x1a, 2, 1);
    expect(pci.readBar(0, 0x1a, 2)).toBe(0xffff);
  });

  it('unmaps vectors and deasserts INTx when the device is reset, but keeps configuration space', () => {
    bringUp();
    common(0x10, 2, 1);
    common(0x1a, 2, 1);
    device.context?.interrupts.usedBuffer(0);
    const hooks = resets;
    common(STATUS, 1, 0);
    expect(pci.readBar(0, STATUS, 1)).toBe(0);
    expect(pci.readBar(0, 0x10, 2)).toBe(0xffff);
    expect(pci.readBar(0, 0x1a, 2)).toBe(0xffff);
    expect(pci.readBar(0, 0x1c, 2)).toBe(0);
    expect(pci.readBar(0, ISR, 1)).toBe(0);
    expect(host.intxLevels).toEqual([true, false]);
    expect(pci.readConfig(0x04, 2)).toBe(0x0006);
    expect(device.calls).toContain('reset');
    expect(resets).toBe(hooks);
  });

  it('forgets all of it on a function reset, and says so', () => {
    bringUp();
    pci.writeConfig(0x42, 2, 0x8000);
    device.context?.interrupts.configChange();
    const hooks = resets;
    pci.reset();
    expect(pci.readBar(0, STATUS, 1)).toBe(0);
    expect(pci.readConfig(0x04, 2)).toBe(0);
    expect(pci.readConfig(0x42, 2)).toBe(2);
    expect(pci.readBar(0, ISR, 1)).toBe(0);
    expect(device.calls).toContain('reset');
    expect(resets).toBe(hooks + 1);
  });

  it('deasserts INTx when it is unplugged', () => {
    bringUp();
    device.context?.interrupts.usedBuffer(0);
    pci.disconnect();
    expect(host.intxLevels).toEqual([true, false]);
  });

  it('reaches the device configuration in any width, and no byte beyond it', () => {
    device.config.setUint32(0, 0x44332211, true);
    device.config.setUint32(8, 0xccbbaa99, true);
    expect(pci.readBar(0, DEVICE, 4)).toBe(0x44332211);
    expect(pci.readBar(0, DEVICE + 1, 1)).toBe(0x22);
    expect(pci.readBar(0, DEVICE + 10, 2)).toBe(0xccbb);
    expect(pci.readBar(0, DEVICE + 12, 4)).toBe(0);
    pci.writeBar(0, DEVICE + 2, 2, 0xeeff);
    expect(device.config.getUint32(0, true)).toBe(0xeeff2211);
    pci.writeBar(0, DEVICE + 12, 4, 0xffffffff);
    pci.writeBar(0, DEVICE + 0xffc, 4, 0xffffffff);
  });

  describe('PCI configuration access', () => {
    // The capability is at 0x90: bar 0x94, offset 0x98, length 0x9c, data 0xa0.
    function point(offset: number, length: number, bar = 0) {
      pci.writeConfig(0x94, 1, bar);
      pci.writeConfig(0x98, 4, offset);
      pci.writeConfig(0x9c, 4, length);
    }

    it('reads structures', () => {
      device.config.setUint32(4, 0x87654321, true);
      point(DEVICE + 4, 4);
      expect(pci.readConfig(0xa0, 4)).toBe(0x87654321);
      point(0x12, 2);
      expect(pci.readConfig(0xa0, 2)).toBe(2);
    });

    it('writes structures', () => {
      point(STATUS, 1);
      pci.writeConfig(0xa0, 1, 1);
      expect(pci.readBar(0, STATUS, 1)).toBe(1);
      point(QUEUE_SELECT, 2);
      pci.writeConfig(0xa0, 4, 0xffff0001);
      expect(pci.readBar(0, QUEUE_SELECT, 2)).toBe(1);
    });

    it('kicks', () => {
      bringUp();
      point(NOTIFY, 2);
      pci.writeConfig(0xa0, 2, 0);
      pci.service();
      expect(device.calls).toEqual(['notify 0']);
    });

    it('reads and clears ISR status', () => {
      bringUp();
      device.context?.interrupts.usedBuffer(0);
      point(ISR, 1);
      expect(pci.readConfig(0xa0, 1)).toBe(1);
      expect(host.intxLevels).toEqual([true, false]);
    });

    it.each([
      ['a length of 0', STATUS, 0, 0],
      ['a length of 3', STATUS, 3, 0],
      ['a length of 8', 0x10, 8, 0],
      ['an offset that is no multiple of the length', STATUS + 1, 2, 0],
      ['an offset beyond the BAR', 0x4000, 1, 0],
      ['the MSI-X BAR', STATUS, 1, 1],
      ['a BAR that there is not', STATUS, 1, 7],
    ])('does nothing with %s', (_, offset, length, bar) => {
      common(STATUS, 1, 1);
      point(offset, length, bar);
      pci.writeConfig(0xa0, 4, 0x03030303);
      expect(pci.readConfig(0xa0, 4)).toBe(0x03030303);
      expect(pci.readBar(0, STATUS, 1)).toBe(1);
      expect(pci.readBar(1, 0x14, 1)).toBe(0);
    });
  });
});
