/** Status, features, queues and resets, as a transport drives them; numbers are written out from the standard. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createDriverQueue } from '../driver/create-driver-queue.ts';
import type { DriverQueue } from '../driver/driver-queue.ts';
import type { QueueAddresses } from '../driver/driver-transport.ts';
import { ArrayGuestMemory } from '../memory/array-guest-memory.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import { createDescriptorChain } from '../ring/descriptor-chain.ts';
import { drainQueue } from '../ring/drain-queue.ts';
import type { DescriptorChain } from '../ring/virtqueue.ts';
import { DeviceSession } from './device-session.ts';
import type { DeviceContext, VirtioDevice } from './virtio-device.ts';

const RING = 0x1000;
const SIZE = 8;
/** ACKNOWLEDGE, DRIVER, then FEATURES_OK, then DRIVER_OK. */
const [ACKNOWLEDGED, AGREED, UP] = [0x3, 0xb, 0xf];
const NEEDS_RESET = 0x40;

/** Uses each buffer with its readable length; tells a test what happens to it. */
class EchoDevice implements VirtioDevice {
  readonly deviceId = 42;
  readonly queueMaxSizes = [SIZE, 16];
  readonly deviceFeatures = 0x2_0000_0005n;
  readonly configSize = 6;
  silentConfigChanges = 0;
  readonly calls: string[] = [];
  readonly config = new Uint8Array(6);
  context: DeviceContext | undefined;
  accepts = true;
  during: (chain: DescriptorChain) => void = () => {};
  readonly #chain = createDescriptorChain(16);

  readConfig(offset: number, width: number): number {
    return this.config
      .subarray(offset, offset + width)
      .reduceRight((sum, byte) => sum * 256 + byte, 0);
  }

  writeConfig(offset: number, _width: number, value: number): void {
    this.config[offset] = value;
  }

  acceptFeatures(features: bigint): boolean {
    this.calls.push(`accept ${features.toString(16)}`);
    return this.accepts;
  }

  activate(context: DeviceContext): void {
    this.calls.push('activate');
    this.context = context;
  }

  notifyQueue(index: number): boolean {
    this.calls.push(`notify ${index}`);
    const queue = this.context?.queues[index];
    if (queue === undefined) return false;
    const handler = {
      handleChain: (chain: DescriptorChain) => {
        this.during(chain);
        return chain.readableLength;
      },
    };
    return drainQueue(queue, this.#chain, handler, this.context!.interrupts, { budget: 2 });
  }

  queueReset(index: number): void {
    this.calls.push(`queueReset ${index}`);
  }

  reset(): void {
    this.calls.push('reset');
    this.context = undefined;
  }
}

let device: EchoDevice;
let session: DeviceSession;
let memory: GuestMemory;
let interrupts: string[];
let log: string[];

function open(packed: boolean): void {
  device = new EchoDevice();
  interrupts = [];
  log = [];
  memory = new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(0x4000) }]);
  session = new DeviceSession({
    device,
    memory,
    interrupts: {
      usedBuffer: (index) => interrupts.push(`used ${index}`),
      configChange: () => interrupts.push('config'),
    },
    logger: {
      debug() {},
      info() {},
      warn: (line) => log.push(line),
      error: (line) => log.push(line),
    },
    packed,
  });
}
beforeEach(() => open(false));

function agree(high = 1, low = 5): void {
  session.writeStatus(0);
  session.writeStatus(1);
  session.writeStatus(ACKNOWLEDGED);
  session.writeDriverFeatures(0, low);
  session.writeDriverFeatures(1, high);
  session.writeStatus(AGREED);
}

/** An empty queue as the driver makes it. */
function driverQueue(features = 0n, size = SIZE, address = RING): DriverQueue {
  return createDriverQueue({ features, size, memory, address });
}

function enable(addresses: QueueAddresses, index = 0): void {
  const queue = session.queue(index)!;
  queue.size = addresses.size;
  queue.writeAddress('descriptorArea', 0, addresses.descriptorArea);
  queue.writeAddress('driverArea', 0, addresses.driverArea);
  queue.writeAddress('deviceArea', 0, addresses.deviceArea);
  queue.enable();
}

/** @param high features from 32 on */
function up(high = 1): DriverQueue {
  const driver = driverQueue(BigInt(high) << 32n);
  agree(high);
  enable(driver.addresses);
  session.writeStatus(UP);
  return driver;
}

describe('features', () => {
  it('are those of the device, of rings, and of the transport', () => {
    // INDIRECT_DESC 28, EVENT_IDX 29; VERSION_1 32, ACCESS_PLATFORM 33, IN_ORDER 35, RING_RESET 40.
    expect(session.readDeviceFeatures(0)).toBe(0x3000_0005);
    expect(session.readDeviceFeatures(1)).toBe(0x10b);
    expect([2, 3, 4, 0xffff_ffff].map((select) => session.readDeviceFeatures(select))).toEqual([
      0, 0, 0, 0,
    ]);
    const other = new DeviceSession({
      device,
      interrupts: { usedBuffer() {}, configChange() {} },
      transportFeatures: 1n << 39n,
    });
    expect(other.readDeviceFeatures(1)).toBe(0x18b);
    open(true);
    // RING_PACKED 34.
    expect(session.readDeviceFeatures(1)).toBe(0x10f);
  });

  it('are agreed on, and fixed by FEATURES_OK', () => {
    agree();
    expect(session.status).toBe(AGREED);
    expect(device.calls.at(-1)).toBe('accept 100000005');
    session.writeDriverFeatures(0, 0);
    expect(session.readDriverFeatures(0)).toBe(5);
    session.writeStatus(UP);
    expect(device.context?.driverFeatures).toBe(0x1_0000_0005n);
  });

  it.each([
    ['that were not offered', 1, 2],
    ['in a high word that were not offered', 0x5, 5],
    ['of a legacy driver', 0, 5],
  ])('%s are refused', (_what, high, low) => {
    agree(high, low);
    expect(session.status).toBe(ACKNOWLEDGED);
    expect(session.readDriverFeatures(0)).toBe(low);
  });

  it('that the device refuses are refused, and can be chosen anew', () => {
    device.accepts = false;
    agree();
    expect(session.status).toBe(ACKNOWLEDGED);
    device.accepts = true;
    session.writeDriverFeatures(0, 1);
    session.writeStatus(AGREED);
    expect(session.status).toBe(AGREED);
  });
});

describe('status', () => {
  it('keeps its bits until 0 is written', () => {
    session.writeStatus(1);
    session.writeStatus(2);
    expect(session.status).toBe(3);
    session.writeStatus(0x80);
    expect(session.status).toBe(0x83);
    session.writeStatus(0);
    expect(session.status).toBe(0);
  });

  it('cannot be written to NEEDS_RESET', () => {
    session.writeStatus(NEEDS_RESET);
    expect(session.status).toBe(0);
  });

  it('cannot be written to SUSPEND, which is not offered, before DRIVER_OK nor after it', () => {
    session.writeStatus(0x10);
    session.writeStatus(0x11);
    expect(session.status).toBe(1);
    up();
    session.writeStatus(UP | 0x10);
    expect(session.status).toBe(UP);
  });

  it('DRIVER_OK without FEATURES_OK breaks the device', () => {
    session.writeStatus(1);
    session.writeStatus(7);
    expect(session.status).toBe(7 | NEEDS_RESET);
    expect(device.calls).not.toContain('activate');
    expect(log).toEqual(['virtio device 42 needs a reset: DRIVER_OK without FEATURES_OK']);
  });

  it('DRIVER_OK activates once', () => {
    up();
    session.writeStatus(UP);
    expect(device.calls.filter((call) => call === 'activate')).toHaveLength(1);
  });

  it('NEEDS_RESET is told by a change of the configuration, and ends by a reset', () => {
    up();
    const generation = session.configGeneration;
    session.needsReset('of old age');
    session.needsReset('of old age');
    expect([session.status, interrupts]).toEqual([UP | NEEDS_RESET, ['config']]);
    expect(session.configGeneration).not.toBe(generation);
    session.writeStatus(0);
    expect(session.status).toBe(0);
    up();
    expect(session.status).toBe(UP);
  });
});

describe('queues', () => {
  it('take the size and the addresses of the driver until they are enabled', () => {
    const queue = session.queue(0)!;
    expect([queue.maxSize, queue.size, queue.enabled]).toEqual([8, 8, false]);
    expect(session.queue(2)).toBeUndefined();
    queue.writeAddress('deviceArea', 0, 0x1234_5678);
    queue.writeAddress('deviceArea', 1, 0x9);
    expect(queue.address('deviceArea')).toBe(0x9_1234_5678);
    queue.enable();
    queue.writeAddress('deviceArea', 0, 0);
    expect(queue.readAddress('deviceArea', 0)).toBe(0x1234_5678);
    session.writeStatus(0);
    expect([queue.enabled, queue.address('deviceArea')]).toEqual([false, 0]);
  });

  const places = { descriptorArea: RING, driverArea: RING + 0x400, deviceArea: RING + 0x800 };
  it.each<[number, 'split' | 'packed', Partial<QueueAddresses>]>([
    [0, 'split', {}],
    [3, 'split', {}],
    [16, 'split', {}],
    [0xffff, 'split', {}],
    [0, 'packed', {}],
    [9, 'packed', {}],
    [0xffff, 'packed', {}],
    [8, 'split', { driverArea: RING + 0x401 }],
    [8, 'packed', { driverArea: RING + 0x402 }],
    [8, 'packed', { descriptorArea: RING + 8 }],
    [8, 'packed', { deviceArea: RING + 0x802 }],
  ])('of %d descriptors, %s, with %o, break the device', (size, layout, change) => {
    open(true);
    agree(layout === 'packed' ? 5 : 1);
    enable({ size, ...places, ...change });
    session.writeStatus(UP);
    expect(session.status).toBe(UP | NEEDS_RESET);
    session.notify(0);
    expect(session.service()).toBe(false);
  });

  it.each<[number, 'split' | 'packed', Partial<QueueAddresses>]>([
    [8, 'split', { driverArea: RING + 0x402 }],
    [7, 'packed', { driverArea: RING + 0x404 }],
    [1, 'packed', { deviceArea: RING + 0x804 }],
  ])('of %d descriptors, %s, with %o, are as they may be', (size, layout, change) => {
    open(true);
    agree(layout === 'packed' ? 5 : 1);
    enable({ size, ...places, ...change });
    session.writeStatus(UP);
    expect([session.status, device.context?.queues[0]?.size]).toEqual([UP, size]);
  });

  it.each([1, 5])(
    'are worked through when they are kicked, in portions, with features %d',
    (high) => {
      open(high === 5);
      const driver = up(high);
      for (let token = 0; token < 3; token += 1)
        driver.add([{ address: 0, length: token + 1 }], [], token);
      expect(session.service()).toBe(false);
      expect(device.calls).not.toContain('notify 0');
      session.notify(0);
      session.notify(9);
      expect(session.service()).toBe(true);
      expect(session.service()).toBe(false);
      const used = { token: -1, length: -1 };
      for (let token = 0; token < 3; token += 1) {
        driver.takeUsed(used);
        expect(used).toEqual({ token, length: token + 1 });
      }
      expect(interrupts).toEqual(['used 0', 'used 0']);
    },
  );
  it('are worked through when the device asks for it', () => {
    const driver = up();
    const { requestService } = device.context!;
    driver.add([{ address: 0, length: 1 }], [], 0);
    requestService(0);
    requestService(7);
    expect(device.calls.at(-1)).toBe('activate');
    expect(session.service()).toBe(false);
    expect(device.calls.at(-1)).toBe('notify 0');
    session.writeStatus(0);
    requestService(0);
    session.service();
    expect(device.calls.at(-1)).toBe('reset');
  });

  it('go on being worked through when the device asks for a reset', () => {
    const driver = up();
    device.context!.needsReset('a test');
    expect(session.status & 0x40).toBe(0x40);
    expect(interrupts).toContain('config');
    driver.add([{ address: 0, length: 1 }], [], 0);
    session.notify(0);
    session.service();
    expect(driver.takeUsed({ token: -1, length: -1 })).toBe(true);
  });

  it('a device that needs a reset still works through what was kicked before', () => {
    const driver = up();
    for (let token = 0; token < 3; token += 1) driver.add([{ address: 0, length: 1 }], [], token);
    session.notify(0);
    session.needsReset('a test');
    while (session.service()) {}
    const used = { token: -1, length: -1 };
    expect([0, 1, 2].map(() => driver.takeUsed(used))).toEqual([true, true, true]);
  });

  it('NEEDS_RESET that comes while buffers are left takes them from nobody', () => {
    const driver = up();
    for (let token = 0; token < 3; token += 1) driver.add([{ address: 0, length: 1 }], [], token);
    session.notify(0);
    expect(session.service()).toBe(true);
    session.needsReset('a test');
    session.service();
    const used = { token: -1, length: -1 };
    expect([0, 1, 2].map(() => driver.takeUsed(used))).toEqual([true, true, true]);
  });

  it('are not worked through for a kick from before a reset', () => {
    up();
    session.notify(0);
    up();
    expect(session.service()).toBe(false);
    expect(device.calls.at(-1)).toBe('activate');
  });

  it('that are enabled already stay as they are', () => {
    const driver = up();
    const queue = device.context?.queues[0];
    session.queue(0)!.enable();
    enable(driver.addresses);
    expect(device.context?.queues[0]).toBe(queue);
  });

  it.each([
    ['with', 0x1000_0005, UP],
    ['without', 5, UP | NEEDS_RESET],
  ])('have indirect descriptors %s VIRTIO_F_INDIRECT_DESC alone', (_what, low, status) => {
    const driver = driverQueue(1n << 28n);
    agree(1, low);
    enable(driver.addresses);
    session.writeStatus(UP);
    const table = { address: 0x3000, deviceAddress: 0x3000 };
    driver.addIndirect(table, [{ address: 0, length: 1 }], [], 0);
    session.notify(0);
    session.service();
    expect([session.status, driver.takeUsed({ token: 0, length: 0 })]).toEqual([
      ...[status, status === UP],
    ]);
  });

  it('kicked before DRIVER_OK are not looked at', () => {
    const driver = driverQueue();
    agree();
    enable(driver.addresses);
    driver.add([{ address: 0, length: 1 }], [], 0);
    session.notify(0);
    session.writeStatus(UP);
    session.service();
    expect(device.calls).not.toContain('notify 0');
  });

  it('that the driver breaks ask for a reset, and are not touched any more', () => {
    const driver = up();
    driver.add([{ address: 0, length: 1 }], [], 0);
    memory.write(driver.addresses.driverArea + 2, Uint8Array.of(0x77, 0), 0, 2);
    session.notify(0);
    session.service();
    expect(session.status).toBe(UP | NEEDS_RESET);
    expect(log).toEqual([expect.stringContaining('queue 0: the available index jumped')]);
    device.calls.length = 0;
    session.notify(0);
    session.service();
    expect(device.calls).toEqual([]);
  });

  it.each([
    ['split', 0x101],
    ['packed', 0x105],
  ])('can be reset alone, and enabled again: %s', (_layout, high) => {
    open(true);
    const driver = up(high);
    driver.add([{ address: 0, length: 1 }], [], 0);
    session.notify(0);
    session.queue(0)!.reset();
    session.service();
    expect(device.context?.queues[0]).toBeUndefined();
    expect(device.calls.slice(-2)).toEqual(['activate', 'queueReset 0']);
    const again = driverQueue(BigInt(high) << 32n, 4, RING + 0x800);
    enable(again.addresses);
    again.add([{ address: 0, length: 5 }], [], 7);
    session.notify(0);
    session.service();
    const used = { token: -1, length: -1 };
    expect(again.takeUsed(used)).toBe(true);
    expect(used).toEqual({ token: 7, length: 5 });
  });

  it('can be disabled alone, keep their settings, and are enabled again', () => {
    const driver = up();
    driver.add([{ address: 0, length: 1 }], [], 0);
    session.notify(0);
    session.queue(0)!.disable();
    session.queue(0)!.disable();
    session.queue(1)!.disable();
    session.service();
    expect(device.context?.queues[0]).toBeUndefined();
    expect(device.calls.slice(-2)).toEqual(['activate', 'queueReset 0']);
    const queue = session.queue(0)!;
    expect([queue.enabled, queue.address('descriptorArea')]).toEqual([false, RING]);
    const again = driverQueue(0n, SIZE, RING);
    queue.enable();
    again.add([{ address: 0, length: 5 }], [], 7);
    session.notify(0);
    session.service();
    const used = { token: -1, length: -1 };
    expect(again.takeUsed(used)).toBe(true);
    expect(used).toEqual({ token: 7, length: 5 });
  });

  it('are not reset alone without RING_RESET', () => {
    up();
    session.queue(0)!.reset();
    expect(device.context?.queues[0]).toBeDefined();
  });
});

describe('while the device is at work', () => {
  it('a reset takes its queues away, and is done when it has returned', () => {
    const driver = up();
    const statuses: number[] = [];
    device.during = () => {
      session.writeStatus(0);
      statuses.push(session.status);
      expect([session.readDriverFeatures(0), session.queue(0)!.enabled]).toEqual([0, false]);
      device.context!.interrupts.configChange();
      session.notify(0);
      expect([device.context!.queues[0], device.calls.at(-1)]).toEqual([undefined, 'notify 0']);
    };
    for (let token = 0; token < 3; token += 1) driver.add([{ address: 0, length: 1 }], [], token);
    session.notify(0);
    expect(session.service()).toBe(false);
    expect(statuses).toEqual([NEEDS_RESET]);
    expect([session.status, device.calls.at(-1)]).toEqual([0, 'reset']);
    expect(driver.takeUsed({ token: 0, length: 0 })).toBe(false);
    expect([interrupts, log]).toEqual([[], []]);
    device.during = () => {};
    const again = up();
    again.add([{ address: 0, length: 1 }], [], 0);
    session.notify(0);
    session.service();
    expect(again.takeUsed({ token: 0, length: 0 })).toBe(true);
  });

  /** What a driver does that does not wait for its reset; Linux writes what it has read and one bit more. */
  function resetAtOnce(high: number): void {
    const add = (bit: number) => session.writeStatus(session.status | bit);
    session.writeStatus(0);
    add(1);
    add(2);
    session.writeDriverFeatures(0, 5);
    session.writeDriverFeatures(1, high);
    add(8);
    expect(session.status).toBe(AGREED | NEEDS_RESET);
  }

  it.each([1, 0x101, 5])(
    'a driver that does not wait for its reset has lost nothing, with features %d',
    (high) => {
      open(high === 5);
      const first = up();
      let driver: DriverQueue | undefined;
      device.during = () => {
        device.during = () => {};
        resetAtOnce(high);
        // Another queue than before, taken back once before it is used.
        driver = driverQueue(BigInt(high) << 32n, 4, RING + 0x800);
        const queue = session.queue(1)!;
        enable(driver.addresses, 1);
        queue.disable();
        expect([queue.enabled, queue.size]).toEqual([false, 4]);
        queue.enable();
        session.writeStatus(session.status | 4);
        driver.add([{ address: 0, length: 9 }], [], 3);
        session.notify(1);
        expect(session.status).toBe(UP | NEEDS_RESET);
        expect(device.calls.slice(-2)).toEqual(['activate', 'notify 0']);
      };
      first.add([{ address: 0, length: 1 }], [], 0);
      session.notify(0);
      expect(session.service()).toBe(true);
      expect(session.status).toBe(UP);
      expect(device.calls.slice(-4)).toEqual([
        'notify 0',
        'reset',
        `accept ${((BigInt(high) << 32n) | 5n).toString(16)}`,
        'activate',
      ]);
      expect(session.service()).toBe(false);
      const used = { token: -1, length: -1 };
      expect([first.takeUsed(used), driver?.takeUsed(used)]).toEqual([false, true]);
      expect([used, interrupts, log]).toEqual([{ token: 3, length: 9 }, ['used 1'], []]);
    },
  );

  it('a driver that does not wait hears later that its features are refused', () => {
    const driver = up();
    device.during = () => {
      resetAtOnce(1);
      device.accepts = false;
    };
    driver.add([{ address: 0, length: 1 }], [], 0);
    session.notify(0);
    expect(session.service()).toBe(false);
    expect(session.status).toBe(AGREED | NEEDS_RESET);
    expect(log).toEqual([expect.stringContaining('refuses features')]);
    device.accepts = true;
    up();
    expect(session.status).toBe(UP);
  });

  it('what it throws after a reset does not break what comes then', () => {
    const driver = up();
    device.during = () => {
      session.writeStatus(0);
      session.writeStatus(1);
      throw new Error('bad day');
    };
    driver.add([{ address: 0, length: 1 }], [], 0);
    session.notify(0);
    expect(session.service()).toBe(false);
    expect([session.status, log.length, device.calls.at(-1)]).toEqual([1, 1, 'reset']);
  });

  it('a reset of its queue ends its work, and is done when it has returned', () => {
    const driver = up(0x101);
    const queue = session.queue(0)!;
    device.during = () => {
      queue.reset();
      queue.reset();
      queue.enable();
      expect([queue.resetting, queue.enabled]).toEqual([true, true]);
      expect([device.context?.queues[0], device.calls.at(-1)]).toEqual([undefined, 'notify 0']);
    };
    for (let token = 0; token < 3; token += 1) driver.add([{ address: 0, length: 1 }], [], token);
    session.notify(0);
    expect(session.service()).toBe(false);
    expect([queue.resetting, queue.enabled]).toEqual([false, false]);
    expect(device.calls.slice(-2)).toEqual(['notify 0', 'queueReset 0']);
    expect(driver.takeUsed({ token: 0, length: 0 })).toBe(false);
    expect([session.status, interrupts]).toEqual([UP, []]);
  });

  it('its queue can be disabled, which is done when it has returned', () => {
    const driver = up();
    const queue = session.queue(0)!;
    device.during = () => {
      queue.disable();
      queue.enable();
      expect([queue.resetting, queue.enabled]).toEqual([false, true]);
      expect([device.context?.queues[0], device.calls.at(-1)]).toEqual([undefined, 'notify 0']);
    };
    driver.add([{ address: 0, length: 1 }], [], 0);
    session.notify(0);
    session.service();
    expect([queue.enabled, queue.address('descriptorArea')]).toEqual([false, RING]);
    expect(device.calls.slice(-2)).toEqual(['notify 0', 'queueReset 0']);
    expect(driver.takeUsed({ token: 0, length: 0 })).toBe(false);
  });

  it('a reset of the device counts for more than that of a queue', () => {
    const driver = up(0x101);
    device.during = () => {
      session.queue(0)!.reset();
      session.writeStatus(0);
    };
    driver.add([{ address: 0, length: 1 }], [], 0);
    session.notify(0);
    session.service();
    expect([session.status, session.queue(0)!.resetting, device.calls.at(-1)]).toEqual([
      ...[0, false, 'reset'],
    ]);
    expect(device.calls).not.toContain('queueReset 0');
  });
});

describe('the rest', () => {
  it('configuration beyond the end is 0, and takes no write', () => {
    device.config.set([1, 2, 3, 4, 5, 6]);
    expect(session.readConfig(4, 2)).toBe(0x605);
    expect(session.readConfig(4, 4)).toBe(0);
    session.writeConfig(6, 1, 9);
    session.writeConfig(2, 1, 9);
    expect([...device.config]).toEqual([1, 2, 9, 4, 5, 6]);
  });

  it('a configuration that changes before there is a driver has another generation', () => {
    const generations = [session.configGeneration];
    device.silentConfigChanges += 1;
    generations.push(session.configGeneration);
    up();
    session.configChanged();
    generations.push(session.configGeneration);
    device.silentConfigChanges += 1;
    generations.push(session.configGeneration);
    expect(new Set(generations).size).toBe(4);
    expect(interrupts).toEqual(['config']);
  });

  it('a device that throws needs a reset, and the session does not throw', () => {
    const driver = up();
    device.during = () => {
      throw new Error('bad day');
    };
    driver.add([{ address: 0, length: 1 }], [], 0);
    session.notify(0);
    expect(session.service()).toBe(false);
    expect(session.status).toBe(UP | NEEDS_RESET);
    expect(log[0]).toContain('bad day');
  });

  it('new memory resets the device', () => {
    up();
    session.setMemory(undefined);
    expect([session.status, device.calls.at(-1)]).toEqual([0, 'reset']);
    agree();
    session.writeStatus(UP);
    expect(device.calls.filter((call) => call === 'activate')).toHaveLength(1);
  });

  it('a device with an impossible queue is refused', () => {
    const odd = Object.assign(new EchoDevice(), { queueMaxSizes: [24] });
    expect(
      () => new DeviceSession({ device: odd, interrupts: { usedBuffer() {}, configChange() {} } }),
    ).toThrow(expect.objectContaining({ code: 'QUEUE_SIZE' }));
  });
});
