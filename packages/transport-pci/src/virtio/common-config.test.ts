import { RecordingDevice } from '@viommu/virtqueue/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { RecordingHost } from '../testing/recording-host.ts';
import { createVirtioPciFunction, type VirtioPciFunction } from './virtio-pci-function.ts';

describe('the common configuration structure', () => {
  let device: RecordingDevice;
  let pci: VirtioPciFunction;

  beforeEach(() => {
    device = new RecordingDevice({ deviceFeatures: 0x2_8000_0011n });
    pci = createVirtioPciFunction({ device });
    pci.connect(new RecordingHost());
  });

  const read = (offset: number, width: 1 | 2 | 4) => pci.readBar(0, offset, width);
  const write = (offset: number, width: 1 | 2 | 4, value: number) =>
    pci.writeBar(0, offset, width, value);

  it('shows 32 feature bits at a time', () => {
    expect(read(0x00, 4)).toBe(0);
    expect(read(0x04, 4) & 0x80000011).toBe(0x80000011 | 0);
    write(0x00, 4, 1);
    expect(read(0x00, 4)).toBe(1);
    // VIRTIO_F_VERSION_1 32, VIRTIO_F_ACCESS_PLATFORM 33, NOTIFICATION_DATA 38, NOTIF_CONFIG_DATA 39, RING_RESET 40; but
    // VIRTIO_F_RING_PACKED 34 only when it is asked for.
    expect(read(0x04, 4) & 0x1c7).toBe(0x1c3);
    write(0x00, 4, 2);
    expect(read(0x04, 4)).toBe(0);
  });

  it('offers packed virtqueues when it is to', () => {
    pci = createVirtioPciFunction({ device, packed: true });
    write(0x00, 4, 1);
    expect(read(0x04, 4) & 0x4).toBe(0x4);
  });

  it('takes the features of the driver in halves', () => {
    write(0x14, 1, 3);
    write(0x08, 4, 1);
    write(0x0c, 4, 0x3);
    write(0x08, 4, 0);
    write(0x0c, 4, 0x10);
    expect(read(0x0c, 4)).toBe(0x10);
    write(0x08, 4, 1);
    expect(read(0x0c, 4)).toBe(0x3);
    write(0x14, 1, 0xb);
    expect(read(0x14, 1)).toBe(0xb);
  });

  it('has as many queues as the device, each of its size', () => {
    expect(read(0x12, 2)).toBe(2);
    for (const [index, size] of [
      [0, 256],
      [1, 64],
      [2, 0],
      [0xffff, 0],
    ] as const) {
      write(0x16, 2, index);
      expect(read(0x16, 2)).toBe(index);
      expect(read(0x18, 2)).toBe(size);
    }
  });

  it('gives each queue its own Queue Notify address', () => {
    for (const index of [0, 1]) {
      write(0x16, 2, index);
      expect(read(0x1e, 2)).toBe(index);
      expect(read(0x38, 2)).toBe(index);
    }
    write(0x16, 2, 7);
    expect(read(0x1e, 2)).toBe(0);
  });

  it('keeps 64-bit fields as two independent halves, for each queue', () => {
    for (const field of [0x20, 0x28, 0x30]) {
      write(0x16, 2, 1);
      write(field + 4, 4, 0x12);
      write(field, 4, 0xfedcb000 + field * 16);
      expect(read(field, 4)).toBe(0xfedcb000 + field * 16);
      expect(read(field + 4, 4)).toBe(0x12);
      write(0x16, 2, 0);
      expect(read(field, 4)).toBe(0);
      expect(read(field + 4, 4)).toBe(0);
    }
  });

  it('tolerates any width: reads compose fields, writes merge into them', () => {
    write(0x16, 2, 1);
    write(0x20, 4, 0x55667788);
    expect([0, 1, 2, 3].map((byte) => read(0x20 + byte, 1))).toEqual([0x88, 0x77, 0x66, 0x55]);
    expect(read(0x12, 4)).toBe(0x00000002);
    expect(read(0x16, 4)).toBe(0x00400001);
    expect(read(0x1e, 4)).toBe(0x77880001);
    write(0x21, 2, 0xaabb);
    expect(read(0x20, 4)).toBe(0x55aabb88);
    write(0x23, 2, 0x0133);
    expect(read(0x20, 4)).toBe(0x33aabb88);
    expect(read(0x24, 4)).toBe(0x01);
    write(0x16, 4, 0x00200001);
    expect(read(0x18, 2)).toBe(0x20);
    write(0x14, 4, 0x00000001);
    expect(read(0x14, 4)).toBe(0x00000001);
  });

  it('ignores writes to read-only fields', () => {
    for (const [field, width] of [
      [0x04, 4],
      [0x12, 2],
      [0x15, 1],
      [0x1e, 2],
      [0x38, 2],
      [0x3c, 2],
      [0x3e, 2],
    ] as const) {
      const before = read(field, width);
      write(field, width, before ^ 1);
      expect(read(field, width)).toBe(before);
    }
  });

  it('is 64 bytes long', () => {
    write(0x40, 4, 0xffffffff);
    write(0x3e, 4, 0xffffffff);
    expect(read(0x40, 4)).toBe(0);
    expect(read(0x3e, 4)).toBe(0);
    expect(read(0xffe, 4)).toBe(0);
  });

  describe('with a driver', () => {
    beforeEach(() => {
      for (const status of [1, 3]) write(0x14, 1, status);
      write(0x08, 4, 1);
      write(0x0c, 4, 0x101);
      write(0x14, 1, 0xb);
      write(0x20, 4, 0x1000);
      write(0x28, 4, 0x2000);
      write(0x30, 4, 0x3000);
      write(0x1a, 2, 1);
      write(0x1c, 2, 1);
      write(0x14, 1, 0xf);
    });

    it('enables queues, and has no way back by queue_enable', () => {
      expect(read(0x1c, 2)).toBe(1);
      write(0x1c, 2, 0);
      expect(read(0x1c, 2)).toBe(1);
    });

    it('keeps the settings of an enabled queue', () => {
      write(0x18, 2, 8);
      write(0x20, 4, 0x4000);
      expect(read(0x18, 2)).toBe(256);
      expect(read(0x20, 4)).toBe(0x1000);
    });

    it('resets one queue', () => {
      device.calls.length = 0;
      write(0x3a, 2, 1);
      expect(device.calls).toEqual(['queueReset 0']);
      expect(read(0x3a, 2)).toBe(0);
      expect(read(0x1c, 2)).toBe(0);
      expect(read(0x18, 2)).toBe(256);
      expect(read(0x1a, 2)).toBe(0xffff);
      expect(read(0x14, 1)).toBe(0xf);
      for (const field of [0x20, 0x28, 0x30]) write(field, 4, 0x1000 * (field >>> 4));
      write(0x1c, 2, 1);
      expect([read(0x3a, 2), read(0x1c, 2)]).toEqual([0, 1]);
    });

    it('says that the reset of a queue is under way while the device is at work', () => {
      const seen: number[][] = [];
      const look = () => seen.push([read(0x3a, 2), read(0x1c, 2), read(0x1a, 2)]);
      device.notifyQueue = () => {
        write(0x3a, 2, 1);
        look();
        // What was meant for the queue that is gone must not be taken for the next one.
        write(0x1c, 2, 1);
        write(0x18, 2, 4);
        expect(device.calls).not.toContain('queueReset 0');
        return true;
      };
      pci.writeConfig(0x04, 2, 0x0006);
      write(0x3000, 2, 0);
      expect(pci.service()).toBe(false);
      look();
      expect(seen).toEqual([
        [1, 1, 0xffff],
        [0, 0, 0xffff],
      ]);
      expect([device.calls.at(-1), read(0x18, 2)]).toEqual(['queueReset 0', 256]);
    });

    it('has no queue_reset without VIRTIO_F_RING_RESET', () => {
      write(0x14, 1, 0);
      for (const status of [1, 3]) write(0x14, 1, status);
      write(0x08, 4, 1);
      write(0x0c, 4, 0x1);
      write(0x14, 1, 0xb);
      write(0x1a, 2, 1);
      write(0x1c, 2, 1);
      write(0x3a, 2, 1);
      expect(read(0x1c, 2)).toBe(1);
      expect(read(0x1a, 2)).toBe(1);
    });

    it('forgets selections and queues when 0 is written to device_status', () => {
      write(0x00, 4, 1);
      write(0x16, 2, 1);
      write(0x14, 1, 0);
      for (const [field, width] of [
        [0x00, 4],
        [0x08, 4],
        [0x0c, 4],
        [0x14, 1],
        [0x16, 2],
        [0x1c, 2],
        [0x20, 4],
        [0x3a, 2],
      ] as const) {
        expect(read(field, width)).toBe(0);
      }
    });
  });
});
