import { RecordingDevice } from '@viommu/virtqueue/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { RecordingHost } from '../testing/recording-host.ts';
import { createVirtioPciFunction, type VirtioPciFunction } from './virtio-pci-function.ts';

// Offsets in BAR 0.
const STATUS = 0x14;
const QUEUE_SELECT = 0x16;
const ISR = 0x1000;
const DEVICE = 0x2000;
const NOTIFY = 0x3000;

describe('PCI configuration access', () => {
  let device: RecordingDevice;
  let host: RecordingHost;
  let pci: VirtioPciFunction;

  beforeEach(() => {
    device = new RecordingDevice();
    host = new RecordingHost();
    pci = createVirtioPciFunction({ device });
    pci.connect(host);
  });

  /** As far as kicks and interrupts need: VIRTIO_F_VERSION_1, queue 0, DRIVER_OK. */
  function bringUp() {
    pci.writeConfig(0x04, 2, 0x0006);
    for (const [offset, width, value] of [
      [STATUS, 1, 1],
      [STATUS, 1, 3],
      [0x08, 4, 1],
      [0x0c, 4, 1],
      [STATUS, 1, 0xb],
      [0x20, 4, 0x1000],
      [0x28, 4, 0x2000],
      [0x30, 4, 0x3000],
      [0x1c, 2, 1],
      [STATUS, 1, 0xf],
    ] as const) {
      pci.writeBar(0, offset, width, value);
    }
    device.calls.length = 0;
  }

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
    pci.writeBar(0, STATUS, 1, 1);
    point(offset, length, bar);
    pci.writeConfig(0xa0, 4, 0x03030303);
    expect(pci.readConfig(0xa0, 4)).toBe(0x03030303);
    expect(pci.readBar(0, STATUS, 1)).toBe(1);
    expect(pci.readBar(1, 0x14, 1)).toBe(0);
  });
});
