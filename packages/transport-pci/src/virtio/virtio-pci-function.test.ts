import { ArrayGuestMemory, type GuestMemory } from '@viommu/virtqueue';
import { RecordingDevice } from '@viommu/virtqueue/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { RecordingHost } from '../testing/recording-host.ts';
import { createVirtioPciFunction, type VirtioPciFunctionOptions } from './virtio-pci-function.ts';

// Offsets in BAR 0.
const STATUS = 0x14;
const QUEUE_SELECT = 0x16;
const ISR = 0x1000;
const DEVICE = 0x2000;
const NOTIFY = 0x3000;

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

  it('takes the queue of a kick from its address, be it of 16 bits or of 32 with data', () => {
    bringUp();
    enableQueue(1);
    pci.writeBar(0, NOTIFY + 4, 2, 1);
    pci.service();
    expect(device.calls).toEqual(['notify 1']);
    pci.writeBar(0, NOTIFY + 4, 4, 0x8005_0001);
    pci.service();
    expect(device.calls).toEqual(['notify 1', 'notify 1']);
    device.calls.pop();
    pci.writeBar(0, NOTIFY + 8, 2, 2);
    pci.service();
    expect(device.calls).toEqual(['notify 1']);
  });

  it('gives the device the memory of the options, made from the host that is plugged in', () => {
    const views: GuestMemory[] = [];
    const view = new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(0x4000) }]);
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

  it('holds messages back behind masks, until the device is reset', () => {
    bringUp();
    pci.writeConfig(0x42, 2, 0xc000);
    common(0x10, 2, 1);
    pci.writeBar(1, 0x18, 4, 0x41);
    pci.writeBar(1, 0x1c, 4, 0);
    device.context?.interrupts.configChange();
    expect(pci.readBar(1, 0x800, 4)).toBe(0b10);
    expect(host.messages).toEqual([]);
    pci.writeConfig(0x42, 2, 0x8000);
    expect(host.messages).toEqual([[1, 0, 0x41]]);

    pci.writeConfig(0x42, 2, 0xc000);
    device.context?.interrupts.configChange();
    common(STATUS, 1, 0);
    pci.writeConfig(0x42, 2, 0x8000);
    expect(host.messages.length).toBe(1);
    expect(pci.readBar(1, 0x1c, 4)).toBe(0);
    pci.reset();
    expect(pci.readBar(1, 0x18, 4)).toBe(0);
    expect(pci.readBar(1, 0x1c, 4)).toBe(1);
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

  it('maps any event to any vector, and unmaps it', () => {
    /** Where the vector of each event is: of configuration changes, of queue 0, of queue 1. */
    const events = [
      [0x10, 0],
      [0x1a, 0],
      [0x1a, 1],
    ] as const;
    for (const [field, queue] of events) {
      common(QUEUE_SELECT, 2, queue);
      for (const vector of [0, 1, 2, 0xffff, 1, 0xffff]) {
        common(field, 2, vector);
        expect(pci.readBar(0, field, 2)).toBe(vector);
      }
    }
  });

  it('shows the events before the host hears of an interrupt', () => {
    const seen: number[] = [];
    const look = () => {
      seen.push(pci.readConfig(0x06, 2) & 0x08, pci.readBar(0, ISR, 1));
    };
    host.setIntx = (asserted) => {
      if (asserted) look();
    };
    host.signalMsix = look;
    bringUp();
    device.context?.interrupts.usedBuffer(0);
    device.context?.interrupts.configChange();
    expect(seen.splice(0)).toEqual([8, 1, 8, 2]);
    pci.writeConfig(0x42, 2, 0x8000);
    pci.writeBar(1, 0x0c, 4, 0);
    common(0x10, 2, 0);
    device.context?.interrupts.configChange();
    expect(seen).toEqual([0, 2]);
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

  it('deasserts INTx when it is unplugged, and interrupts the host no more', () => {
    bringUp();
    const interrupts = device.context?.interrupts;
    interrupts?.usedBuffer(0);
    pci.disconnect();
    expect(host.intxLevels).toEqual([true, false]);
    interrupts?.usedBuffer(0);
    pci.writeConfig(0x42, 2, 0x8000);
    pci.writeBar(1, 0x0c, 4, 0);
    common(0x10, 2, 0);
    interrupts?.configChange();
    expect(host.intxLevels).toEqual([true, false]);
    expect(host.messages).toEqual([]);
  });

  it('says when it is unplugged, after it is reset', () => {
    const seen: string[] = [];
    plugIn({ onDisconnect: () => seen.push('disconnect'), onReset: () => seen.push('reset') });
    seen.length = 0;
    pci.reset();
    expect(seen).toEqual(['reset']);
    pci.disconnect();
    expect(seen).toEqual(['reset', 'reset', 'disconnect']);
    pci.connect(host);
    expect(seen).toEqual(['reset', 'reset', 'disconnect', 'reset']);
  });

  it('keeps nothing of the host that it was unplugged from', () => {
    bringUp();
    pci.disconnect();
    device.calls.length = 0;
    for (const status of [1, 3]) common(STATUS, 1, status);
    common(0x08, 4, 1);
    common(0x0c, 4, 1);
    common(STATUS, 1, 0xb);
    common(STATUS, 1, 0xf);
    expect(device.calls).toEqual([]);
  });

  it('asks for a reset, by an interrupt, when a queue is misaligned', () => {
    bringUp();
    common(QUEUE_SELECT, 2, 1);
    common(0x20, 4, 0x1008);
    common(0x1c, 2, 1);
    expect(pci.readBar(0, STATUS, 1)).toBe(0x4f);
    expect(pci.readBar(0, ISR, 1)).toBe(2);
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
});
