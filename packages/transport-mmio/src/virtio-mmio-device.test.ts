/** The registers byte by byte, with offsets and values written out from "MMIO Device Register Layout". */
import { ArrayGuestMemory, createDescriptorChain, type GuestMemory } from '@viommu/virtqueue';
import { RecordingDevice } from '@viommu/virtqueue/testing';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { RecordingMmioHost } from './testing/recording-mmio-host.ts';
import { createVirtioMmioDevice, type VirtioMmioDeviceOptions } from './virtio-mmio-device.ts';

/** Uses each buffer with the length of its writable part. */
class DrainDevice extends RecordingDevice {
  override notifyQueue(index: number): boolean {
    super.notifyQueue(index);
    const queue = this.context?.queues[index];
    const chain = createDescriptorChain(4);
    while (queue?.pop(chain)) queue.pushUsed(chain.head, chain.writableLength);
    if (queue?.shouldInterrupt()) this.context?.interrupts.usedBuffer(index);
    return false;
  }
}

let device: DrainDevice;
let host: RecordingMmioHost;
let resets: number;
let mmio: ReturnType<typeof createVirtioMmioDevice>;

function plugIn(options: Partial<VirtioMmioDeviceOptions> = {}, deassertWhenRead = false) {
  device = new DrainDevice({ deviceFeatures: 0x2_8000_0011n });
  host = new RecordingMmioHost({ deassertWhenRead });
  resets = 0;
  mmio = createVirtioMmioDevice({ device, onReset: () => resets++, ...options });
  mmio.connect(host);
  device.calls.length = 0;
}

beforeEach(() => plugIn());

const read = (offset: number) => mmio.read(offset, 4);
const write = (offset: number, value: number) => mmio.write(offset, 4, value);

function enableQueue(index: number) {
  write(0x030, index);
  write(0x038, 16);
  write(0x080, 0x1000 * (index + 1));
  write(0x090, 0x1000 * (index + 1) + 0x400);
  write(0x0a0, 0x1000 * (index + 1) + 0x800);
  write(0x044, 1);
}

/** ACKNOWLEDGE, DRIVER, VIRTIO_F_VERSION_1 and RING_RESET unless other features are given, FEATURES_OK, queue 0, DRIVER_OK. */
function bringUp(highFeatures = 0x101) {
  write(0x070, 1);
  write(0x070, 3);
  write(0x024, 1);
  write(0x020, highFeatures);
  write(0x070, 0xb);
  enableQueue(0);
  write(0x070, 0xf);
  expect(read(0x070)).toBe(0xf);
  expect(device.calls).toEqual(['activate']);
  device.calls.length = 0;
}

describe('the control registers', () => {
  it('say what is there', () => {
    expect(Array.from({ length: 4 }, (_, at) => mmio.read(at, 1))).toEqual(
      [...'virt'].map((letter) => letter.charCodeAt(0)),
    );
    expect([0x004, 0x008, 0x00c].map(read)).toEqual([2, 4, 0x1af4]);
    plugIn({ vendorId: 0x554d_4551 });
    expect(read(0x00c)).toBe(0x554d_4551);
  });

  it('show 32 feature bits at a time', () => {
    write(0x014, 0);
    expect((read(0x010) & 0x8000_0011) >>> 0).toBe(0x8000_0011);
    write(0x014, 1);
    // VERSION_1 32, ACCESS_PLATFORM 33, NOTIFICATION_DATA 38, RING_RESET 40; not NOTIF_CONFIG_DATA 39, which is PCI's.
    expect(read(0x010) & 0x1c3).toBe(0x143);
    for (const select of [2, 4, 0xffff_ffff]) {
      write(0x014, select);
      expect(read(0x010)).toBe(0);
    }
  });

  it('take the features of the driver in halves', () => {
    write(0x070, 3);
    write(0x024, 1);
    write(0x020, 0x3);
    write(0x024, 0);
    write(0x020, 0x10);
    write(0x070, 0xb);
    expect(read(0x070)).toBe(0xb);
    write(0x070, 0xf);
    expect(device.context?.driverFeatures).toBe(0x3_0000_0010n);
  });

  it('refuse features that were not offered', () => {
    write(0x070, 3);
    write(0x024, 1);
    write(0x020, 0x81);
    write(0x070, 0xb);
    expect(read(0x070)).toBe(3);
  });

  it.each([
    [0, 256],
    [1, 64],
    [2, 0],
    [0xffff_ffff, 0],
  ])('give queue %i its largest size, 0 when there is none', (index, size) => {
    write(0x030, index);
    expect(read(0x034)).toBe(size);
    expect(read(0x044)).toBe(0);
    write(0x044, 1);
    expect(read(0x044)).toBe(size === 0 ? 0 : 1);
  });

  it('have no shared memory: length and address are -1, whatever the region', () => {
    for (const region of [0, 1, 0xff]) {
      write(0x0ac, region);
      expect([0x0b0, 0x0b4, 0x0b8, 0x0bc].map(read)).toEqual(new Array(4).fill(0xffff_ffff));
    }
  });

  it('read 0 where they can only be written, and where there are none', () => {
    bringUp();
    const readable = new Set([
      ...[0x000, 0x004, 0x008, 0x00c, 0x010, 0x034, 0x044, 0x060, 0x070],
      ...[0x0b0, 0x0b4, 0x0b8, 0x0bc, 0x0c0, 0x0fc],
    ]);
    for (let offset = 0; offset < 0x100; offset += 4) {
      if (!readable.has(offset)) expect([offset, read(offset)]).toEqual([offset, 0]);
    }
  });

  it('ignore writes where they can only be read', () => {
    for (const offset of [0x000, 0x004, 0x008, 0x00c, 0x010, 0x034, 0x060, 0x0b0, 0x0fc]) {
      const before = read(offset);
      write(offset, ~before >>> 0);
      expect(read(offset)).toBe(before);
    }
  });

  it('compose a read of any other width or place', () => {
    expect(mmio.read(0x002, 2)).toBe(0x7472);
    expect(mmio.read(0x002, 4)).toBe(0x0002_7472);
    expect(mmio.read(0x0b3, 4)).toBe(0xffff_ffff);
    device.config.setUint32(0, 0x4433_2211, true);
    expect(mmio.read(0x0fe, 4)).toBe(0x2211_0000);
  });

  it('ignore a write of any other width or place', () => {
    mmio.write(0x070, 1, 1);
    mmio.write(0x070, 2, 1);
    mmio.write(0x06f, 4, 0x100);
    mmio.write(0x071, 4, 1);
    expect(read(0x070)).toBe(0);
  });
});

describe('queues', () => {
  it('are used at their addresses of 64 bits', () => {
    const memory = new ArrayGuestMemory([{ base: 0x8_0000_0000, buffer: new ArrayBuffer(0x4000) }]);
    plugIn({ memory: () => memory });
    for (const status of [1, 3]) write(0x070, status);
    write(0x024, 1);
    write(0x020, 1);
    write(0x070, 0xb);
    write(0x030, 1);
    write(0x038, 4);
    for (const [register, address] of [
      [0x080, 0x1000],
      [0x090, 0x2000],
      [0x0a0, 0x3000],
    ] as const) {
      // In either order.
      write(register + 4, 8);
      write(register, address);
    }
    write(0x044, 1);
    write(0x070, 0xf);
    const put = (offset: number, ...bytes: number[]) =>
      expect(memory.write(0x8_0000_0000 + offset, Uint8Array.from(bytes), 0, bytes.length)).toBe(
        true,
      );
    // Descriptor 2: address 0x8_0000_0000, 0x180 bytes, VIRTQ_DESC_F_WRITE; then avail.ring[0] = 2, avail.idx = 1.
    put(0x1020, 0, 0, 0, 0, 8, 0, 0, 0, 0x80, 0x01, 0, 0, 2, 0, 0, 0);
    put(0x2004, 2, 0);
    put(0x2002, 1, 0);
    write(0x050, 1);
    const used = new Uint8Array(10);
    const readUsed = () => memory.read(0x8_0000_3002, used, 0, 10) && [...used];
    expect(readUsed()).toEqual(new Array(10).fill(0));
    expect(mmio.service()).toBe(false);
    expect(readUsed()).toEqual([1, 0, 2, 0, 0, 0, 0x80, 0x01, 0, 0]);
    expect([host.levels, read(0x060)]).toEqual([[true], 1]);
  });

  it('are kicked by their index, in service', () => {
    bringUp();
    enableQueue(1);
    write(0x050, 1);
    expect(device.calls).toEqual([]);
    mmio.service();
    expect(device.calls).toEqual(['notify 1']);
    for (const index of [2, 0x1_0001, 0xffff_ffff]) write(0x050, index);
    mmio.service();
    expect(device.calls).toEqual(['notify 1']);
  });

  it('are kicked with a position after their index with VIRTIO_F_NOTIFICATION_DATA', () => {
    bringUp(0x41);
    enableQueue(1);
    write(0x050, 0x8005_0001);
    mmio.service();
    expect(device.calls).toEqual(['notify 1']);
  });

  it('keep their settings while QueueReady is 1', () => {
    bringUp();
    write(0x038, 5);
    write(0x080, 0x1008);
    write(0x044, 0);
    write(0x044, 1);
    expect(read(0x070)).toBe(0xf);
  });

  it('break the device when they are misaligned, which an interrupt says', () => {
    bringUp();
    write(0x030, 1);
    write(0x080, 0x1008);
    write(0x044, 1);
    expect([read(0x070), read(0x060)]).toEqual([0x4f, 2]);
  });

  it('are stopped by QueueReady 0, and can be started again elsewhere', () => {
    bringUp(1);
    write(0x050, 0);
    write(0x044, 0);
    expect(read(0x044)).toBe(0);
    mmio.service();
    expect(device.calls).toEqual(['queueReset 0']);
    expect(device.context?.queues[0]).toBeUndefined();
    write(0x080, 0x5000);
    write(0x044, 1);
    expect(read(0x044)).toBe(1);
    write(0x050, 0);
    mmio.service();
    expect(device.calls).toEqual(['queueReset 0', 'notify 0']);
  });

  it('keep running when QueueReady is written what is neither 0 nor 1', () => {
    bringUp();
    write(0x044, 2);
    expect(read(0x044)).toBe(1);
  });

  it('are reset alone by QueueReset, with VIRTIO_F_RING_RESET', () => {
    bringUp();
    write(0x0c0, 0);
    expect(read(0x044)).toBe(1);
    write(0x0c0, 1);
    expect(device.calls).toEqual(['queueReset 0']);
    expect([0x0c0, 0x044, 0x070].map(read)).toEqual([0, 0, 0xf]);
    enableQueue(0);
    expect([0x0c0, 0x044].map(read)).toEqual([0, 1]);
  });

  it('say by QueueReset 1 that their reset is under way, until the device has ended its work', () => {
    bringUp();
    const seen: number[][] = [];
    const look = () => seen.push([0x0c0, 0x044].map(read));
    device.notifyQueue = () => {
      write(0x0c0, 1);
      look();
      return false;
    };
    write(0x050, 0);
    mmio.service();
    look();
    expect(seen).toEqual([
      [1, 1],
      [0, 0],
    ]);
  });

  it('are not reset alone without it', () => {
    bringUp(1);
    write(0x0c0, 1);
    expect(read(0x044)).toBe(1);
  });
});

describe('a hostile driver', () => {
  it('can write what it likes at any time: nothing throws, and a reset brings the device back', () => {
    const registers = [
      ...[0x014, 0x020, 0x024, 0x030, 0x038, 0x044, 0x050, 0x064, 0x070, 0x080, 0x084],
      ...[0x090, 0x094, 0x0a0, 0x0a4, 0x0ac, 0x0c0],
    ];
    const written = fc.oneof(
      fc.nat(3),
      fc.constantFrom(0xf, 0x40, 0xff, 0x1000, 0x1_0001, 0xffff_ffff),
      fc.nat(0xffff),
    );
    const writes = fc.array(fc.tuple(fc.constantFrom(...registers), written), { maxLength: 40 });
    const ring = fc.uint8Array({ minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(writes, ring, (sequence, bytes) => {
        write(0x070, 0);
        device.calls.length = 0;
        bringUp();
        host.memory.write(0x1000, bytes, 0, bytes.length);
        host.memory.write(0x1400, bytes, 8, 16);
        for (const [register, value] of sequence) {
          write(register, value);
          let portions = 100;
          while (mmio.service()) expect(portions--).toBeGreaterThan(0);
        }
        expect(read(0x000)).toBe(0x7472_6976);
        write(0x070, 0);
        expect([0x070, 0x060].map(read)).toEqual([0, 0]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the interrupt signal', () => {
  it('is asserted from the first event until all are acknowledged', () => {
    bringUp();
    device.context?.interrupts.usedBuffer(0);
    device.context?.interrupts.usedBuffer(0);
    device.context?.interrupts.configChange();
    expect([host.levels, read(0x060)]).toEqual([[true], 3]);
    expect(host.levels).toEqual([true]);
    write(0x064, 1);
    expect([host.levels, read(0x060)]).toEqual([[true], 2]);
    write(0x064, 0xffff_fffd);
    expect(read(0x060)).toBe(2);
    write(0x064, 2);
    expect([host.levels, read(0x060)]).toEqual([[true, false], 0]);
  });

  it('ends when the events are read, for a host that wants that; the events do not', () => {
    plugIn({}, true);
    bringUp();
    device.context?.interrupts.usedBuffer(0);
    expect(read(0x060)).toBe(1);
    expect(host.levels).toEqual([true, false]);
    expect(read(0x060)).toBe(1);
    // One more of the same before the first is acknowledged.
    device.context?.interrupts.usedBuffer(0);
    expect(host.levels).toEqual([true, false, true]);
    write(0x064, 1);
    expect([host.levels, read(0x060)]).toEqual([[true, false, true, false], 0]);
    device.context?.interrupts.configChange();
    write(0x064, 1);
    expect(host.levels.at(-1)).toBe(true);
    write(0x070, 0);
    expect(host.levels.at(-1)).toBe(false);
    write(0x064, 0);
    expect(host.levels.at(-1)).toBe(false);
  });
});

describe('the configuration', () => {
  it('is reached in any width, and no byte beyond it', () => {
    device.config.setUint32(0, 0x4433_2211, true);
    device.config.setUint32(8, 0xccbb_aa99, true);
    expect(mmio.read(0x100, 4)).toBe(0x4433_2211);
    expect(mmio.read(0x101, 1)).toBe(0x22);
    expect(mmio.read(0x10a, 2)).toBe(0xccbb);
    expect(mmio.read(0x10c, 4)).toBe(0);
    mmio.write(0x102, 2, 0xeeff);
    expect(device.config.getUint32(0, true)).toBe(0xeeff_2211);
    mmio.write(0x10c, 4, 0xffff_ffff);
  });

  it('changes ConfigGeneration', () => {
    bringUp();
    const before = read(0x0fc);
    expect(read(0x0fc)).toBe(before);
    device.context?.interrupts.configChange();
    expect(read(0x0fc)).not.toBe(before);
  });

  it('has as long a window as it needs, of 512 bytes at least', () => {
    expect(mmio.size).toBe(0x200);
    const long = new RecordingDevice({ configSize: 0x300 });
    const other = createVirtioMmioDevice({ device: long });
    expect(other.size).toBe(0x400);
    other.write(0x3fc, 4, 0x1234_5678);
    expect(long.config.getUint32(0x2fc, true)).toBe(0x1234_5678);
  });
});

describe('a reset', () => {
  it('by Status 0 clears InterruptStatus, QueueReady and the selections', () => {
    bringUp();
    write(0x014, 1);
    write(0x030, 1);
    device.context?.interrupts.usedBuffer(0);
    const hooks = resets;
    write(0x070, 0);
    // QueueSizeMax, too: of queue 0 again.
    expect([0x070, 0x060, 0x044, 0x0c0, 0x034].map(read)).toEqual([0, 0, 0, 0, 256]);
    expect(host.levels).toEqual([true, false]);
    expect(read(0x010) & 0x11).toBe(0x11);
    expect(device.calls).toContain('reset');
    expect(resets).toBe(hooks);
    // Linux writes QueueReady 0 once more when it takes the queues down, after the reset.
    write(0x030, 0);
    write(0x044, 0);
    expect(read(0x044)).toBe(0);
    device.calls.length = 0;
    bringUp();
  });

  it('of the whole window says so', () => {
    bringUp();
    device.context?.interrupts.configChange();
    write(0x030, 1);
    const hooks = resets;
    mmio.reset();
    expect([0x070, 0x060, 0x034].map(read)).toEqual([0, 0, 256]);
    expect(device.calls).toContain('reset');
    expect(resets).toBe(hooks + 1);
  });
});

describe('plugging', () => {
  it('gives the device the memory of the options, made from that of the host', () => {
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

  it('in and out is a reset of all, and out is said after that', () => {
    const said: string[] = [];
    plugIn({ onReset: () => said.push('reset'), onDisconnect: () => said.push('out') });
    mmio.disconnect();
    mmio.connect(host);
    expect(said).toEqual(['reset', 'reset', 'out', 'reset']);
  });

  it('has one host at a time', () => {
    expect(() => mmio.connect(host)).toThrowError(
      expect.objectContaining({ code: 'MMIO_CONNECTED' }),
    );
  });

  it('out deasserts the signal, and leaves nothing of the host', () => {
    bringUp();
    const interrupts = device.context?.interrupts;
    interrupts?.usedBuffer(0);
    mmio.disconnect();
    interrupts?.usedBuffer(0);
    expect(host.levels).toEqual([true, false]);
    device.calls.length = 0;
    for (const status of [1, 3]) write(0x070, status);
    write(0x024, 1);
    write(0x020, 1);
    write(0x070, 0xb);
    write(0x070, 0xf);
    expect(device.calls).toEqual([]);
  });
});
