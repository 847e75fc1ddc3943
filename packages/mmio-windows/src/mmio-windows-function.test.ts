/** Registers, lines and the address of the BAR; numbers are written out from the standard and from PCI. */
import { createVirtioMmioDevice, type MmioDevice } from '@viommu/transport-mmio';
import { createMmioDriverTransport } from '@viommu/transport-mmio/driver';
import { pciFunctionSuite, RecordingHost } from '@viommu/transport-pci/testing';
import type { AccessWidth } from '@viommu/virtqueue';
import type { VirtioDevice } from '@viommu/virtqueue/device';
import { RecordingDevice, transportSuite } from '@viommu/virtqueue/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { createMmioWindowsFunction, type MmioWindowsFunctionOptions } from './index.ts';

const IDS = { vendorId: 0x1b36, deviceId: 0xfff7 };

const windowOf = (device: VirtioDevice = new RecordingDevice()): MmioDevice =>
  createVirtioMmioDevice({ device, packed: true });

pciFunctionSuite('one window', () => createMmioWindowsFunction({ ...IDS, windows: [windowOf()] }));

pciFunctionSuite('three windows in a BAR of 1 MiB', () =>
  createMmioWindowsFunction({
    ...IDS,
    windows: [windowOf(), windowOf(), windowOf()],
    barSize: 0x10_0000,
  }),
);

transportSuite('MMIO in the third window of a PCI function', (device, memory) => {
  const pci = createMmioWindowsFunction({
    ...IDS,
    windows: [windowOf(), windowOf(), windowOf(device)],
  });
  let interrupts = 0;
  pci.connect({
    memory,
    ownsMsixTable: true,
    signalMsix() {},
    setIntx(asserted) {
      if (asserted) interrupts += 1;
    },
  });
  pci.writeConfig(0x04, 2, 0x0002);
  const transport = createMmioDriverTransport({
    read: (offset, width) => pci.readBar(0, 0x2000 + offset, width),
    write: (offset, width, value) => pci.writeBar(0, 0x2000 + offset, width, value),
  });
  return {
    transport,
    service: () => pci.service(),
    takeInterrupts() {
      transport.acknowledgeInterrupt();
      const count = interrupts;
      interrupts = 0;
      return count;
    },
  };
});

describe('MmioWindowsFunction', () => {
  let devices: RecordingDevice[];
  let host: RecordingHost;
  let addresses: number[];
  let pci: ReturnType<typeof createMmioWindowsFunction>;

  function plugIn(options: Partial<MmioWindowsFunctionOptions> = {}) {
    devices = [new RecordingDevice({ deviceId: 23 }), new RecordingDevice({ deviceId: 2 })];
    host = new RecordingHost();
    addresses = [];
    pci = createMmioWindowsFunction({
      ...IDS,
      windows: devices.map(windowOf),
      onBarAddress: (address) => addresses.push(address),
      ...options,
    });
    pci.connect(host);
    pci.writeConfig(0x04, 2, 0x0002);
  }

  beforeEach(() => plugIn());

  const read = (offset: number, width: AccessWidth = 4) => pci.readBar(0, offset, width);
  const write = (offset: number, value: number) => pci.writeBar(0, offset, 4, value);

  /** ACKNOWLEDGE, DRIVER, VIRTIO_F_VERSION_1, FEATURES_OK, queue 0, DRIVER_OK. */
  function bringUp(window: number) {
    for (const [register, value] of [
      [0x070, 1],
      [0x070, 3],
      [0x024, 1],
      [0x020, 1],
      [0x070, 0xb],
      [0x030, 0],
      [0x080, 0x1000],
      [0x090, 0x2000],
      [0x0a0, 0x3000],
      [0x044, 1],
      [0x070, 0xf],
    ] as const) {
      write(0x1000 * window + register, value);
    }
    devices[window]!.calls.length = 0;
    return devices[window]!.context!.interrupts;
  }

  it('has the identity that it is given, one BAR, INTA and no capability', () => {
    plugIn({ vendorId: 0x1af4, deviceId: 0x107f, classCode: 0x088000 });
    expect(pci.readConfig(0x00, 4)).toBe(0x107f_1af4);
    expect(pci.readConfig(0x08, 4)).toBe(0x0880_0000);
    expect(pci.readConfig(0x34, 1)).toBe(0);
    expect(pci.readConfig(0x3d, 1)).toBe(1);
    expect([pci.bars, pci.msixVectors]).toEqual([[{ index: 0, size: 0x2000 }], 0]);
    plugIn();
    expect(pci.readConfig(0x08, 4)).toBe(0xff00_0000);
  });

  it('has a window of 4 KiB for each device, and nothing behind the last', () => {
    plugIn({ barSize: 0x10_0000 });
    expect([0x0000, 0x1000].map((window) => read(window))).toEqual([0x7472_6976, 0x7472_6976]);
    expect([0x0008, 0x1008].map((register) => read(register))).toEqual([23, 2]);
    expect(read(0x10b0)).toBe(0xffff_ffff);
    for (const offset of [0x0ffe, 0x2000, 0x20b0, 0xf_fffc]) expect(read(offset)).toBe(0);
    write(0x2070, 1);
    pci.writeBar(1, 0x0070, 4, 1);
    expect([read(0x0070), read(0x1070), pci.readBar(1, 0, 4)]).toEqual([0, 0, 0]);
  });

  it('lets every device work, whatever Bus Master Enable says, but not without memory decoding', () => {
    bringUp(0);
    bringUp(1);
    write(0x0050, 0);
    write(0x1050, 0);
    pci.writeConfig(0x04, 2, 0x0004);
    pci.service();
    expect(devices.flatMap(({ calls }) => calls)).toEqual([]);
    pci.writeConfig(0x04, 2, 0x0002);
    expect(pci.service()).toBe(false);
    expect(devices.map(({ calls }) => calls)).toEqual([['notify 0'], ['notify 0']]);
  });

  it('says that work is left, in whichever window', () => {
    const busy = new RecordingDevice();
    busy.notifyQueue = () => true;
    plugIn({ windows: [windowOf(busy), windowOf()] });
    devices[0] = busy;
    bringUp(0);
    write(0x0050, 0);
    expect(pci.service()).toBe(true);
  });

  it('asserts INTx while any window has events that its driver has not read', () => {
    const [first, second] = [bringUp(0), bringUp(1)];
    first.usedBuffer(0);
    second.configChange();
    expect(host.intxLevels).toEqual([true]);
    expect(pci.readConfig(0x06, 2) & 0x08).toBe(0x08);
    expect(read(0x0060)).toBe(1);
    expect(host.intxLevels).toEqual([true]);
    expect(read(0x1060)).toBe(2);
    expect(host.intxLevels).toEqual([true, false]);
    expect(pci.readConfig(0x06, 2) & 0x08).toBe(0);
    write(0x0064, 1);
    write(0x1064, 2);
    expect([read(0x0060), read(0x1060)]).toEqual([0, 0]);
    expect(host.intxLevels).toEqual([true, false]);
  });

  it('leaves the line alone while Interrupt Disable is set', () => {
    const interrupts = bringUp(0);
    pci.writeConfig(0x04, 2, 0x0402);
    interrupts.usedBuffer(0);
    expect(host.intxLevels).toEqual([]);
    pci.writeConfig(0x04, 2, 0x0002);
    expect(host.intxLevels).toEqual([true]);
  });

  describe('with a VMM that ends an interrupt at any register access, as QEMU does over vfio-user', () => {
    /** Signals on its way, as an eventfd's. */
    let signals: number;
    let asserted: boolean;
    let masked: boolean;

    const raise = () => {
      if (!asserted || masked) return;
      masked = true;
      signals += 1;
    };
    /** An access by the guest: the VMM unmasks the line after it, if it was signalled. */
    const access = <T>(act: () => T): T => {
      const result = act();
      masked = false;
      raise();
      return result;
    };

    beforeEach(() => {
      signals = 0;
      asserted = false;
      masked = false;
      pci.disconnect();
      pci.connect({
        memory: host.memory,
        ownsMsixTable: true,
        signalMsix() {},
        setIntx(level) {
          asserted = level;
          raise();
        },
      });
      pci.writeConfig(0x04, 2, 0x0002);
    });

    it('signals once for an interrupt that is handled', () => {
      const interrupts = bringUp(0);
      interrupts.usedBuffer(0);
      for (let handled = 1; handled <= 3; handled++) {
        expect(signals).toBe(handled);
        expect(access(() => read(0x0060))).toBe(1);
        access(() => write(0x0064, 1));
        access(() => write(0x0050, 0));
        expect(signals).toBe(handled);
        interrupts.usedBuffer(0);
      }
    });

    it('signals again when the access was not that of the handler', () => {
      bringUp(0).usedBuffer(0);
      access(() => write(0x0050, 0));
      expect(signals).toBe(2);
      access(() => read(0x0060));
      expect(signals).toBe(2);
    });
  });

  describe('the address of the BAR', () => {
    it('is told when it changes, and not what is written to learn the size', () => {
      pci.writeConfig(0x10, 4, 0xffff_ffff);
      expect(pci.readConfig(0x10, 4)).toBe(0xffff_e000);
      pci.writeConfig(0x10, 4, 0xfebf_c000);
      pci.writeConfig(0x10, 4, 0xfebf_c000);
      pci.writeConfig(0x10, 4, 0xffff_ffff);
      pci.writeConfig(0x10, 4, 0xfebf_c000);
      pci.writeConfig(0x04, 2, 0x0002);
      expect(addresses).toEqual([0xfebf_c000]);
      pci.writeConfig(0x10, 4, 0);
      expect(addresses).toEqual([0xfebf_c000, 0]);
      pci.writeConfig(0x10, 4, 0x1000_0000);
      pci.reset();
      expect(addresses).toEqual([0xfebf_c000, 0, 0x1000_0000, 0]);
    });

    it('can be written in parts: the last holds', () => {
      pci.writeConfig(0x10, 2, 0xc000);
      pci.writeConfig(0x12, 2, 0xfebf);
      expect(addresses.at(-1)).toBe(0xfebf_c000);
    });
  });

  it('resets its windows with itself, and plugs them in and out', () => {
    bringUp(0).usedBuffer(0);
    bringUp(1);
    pci.reset();
    expect([read(0x0070), read(0x0060), read(0x1070)]).toEqual([0, 0, 0]);
    expect(host.intxLevels).toEqual([true, false]);
    expect(devices.map(({ calls }) => calls.at(-1))).toEqual(['reset', 'reset']);
    pci.disconnect();
    const windows = devices.map(windowOf);
    const other = createMmioWindowsFunction({ ...IDS, windows });
    other.connect(host);
    expect(() =>
      windows[0]!.connect({ ...host, deassertWhenRead: false, setInterrupt() {} }),
    ).toThrow(expect.objectContaining({ code: 'MMIO_CONNECTED' }));
    expect(() => other.connect(host)).toThrow(expect.objectContaining({ code: 'PCI_CONNECTED' }));
  });

  it.each([
    ['no windows', { windows: [] }, 'MMIO_WINDOWS'],
    [
      'a window of more than 4 KiB',
      { windows: [windowOf(new RecordingDevice({ configSize: 0xf01 }))] },
      'MMIO_WINDOWS',
    ],
    ['a BAR that is too small', { barSize: 0x1000 }, 'MMIO_WINDOWS'],
    ['a BAR of no power of two', { barSize: 0x3000 }, 'PCI_BAR'],
  ])('refuses %s', (_what, options, code) => {
    expect(() => plugIn(options)).toThrowError(expect.objectContaining({ code }));
  });
});
