/** Endpoints that come and go while the driver is up. */
import {
  ArrayGuestMemory,
  createDescriptorChain,
  createMemoryWindow,
  type GuestMemory,
  type Logger,
  SplitVirtqueue,
  silentLogger,
} from '@viommu/virtqueue';
import { createDriverQueue, type DriverQueue } from '@viommu/virtqueue/driver';
import { beforeEach, describe, expect, it } from 'vitest';
import type { IommuObserver } from './observer.ts';
import { createTestDevice, type TestDevice } from './testing/test-device.ts';

const READ = 1;
const WRITE = 2;
const OK = 0;
const UNSUPP = 2;
const NOENT = 6;
const DENIED = -1;
const RAM = 0x10000;

describe('VirtioIommuDevice, endpoints that come and go', () => {
  let test: TestDevice;
  let physical: Uint8Array<ArrayBuffer>;
  let memory: ArrayGuestMemory;
  let seen: unknown[];
  let observer: IommuObserver;
  let logger: Logger;
  let errors: string[];
  const out = createMemoryWindow();
  const reads = (view: GuestMemory, address: number): boolean =>
    view.read(address, new Uint8Array(1), 0, 1);
  const view = (id: number): GuestMemory => test.device.endpointMemory(id, memory);
  const code = (expected: string) => expect.objectContaining({ code: expected });

  beforeEach(() => {
    seen = [];
    errors = [];
    physical = new Uint8Array(0x10000);
    memory = new ArrayGuestMemory([{ base: RAM, buffer: physical.buffer }]);
    observer = {
      attached: (...of) => seen.push(['attached', ...of]),
      detached: (...of) => seen.push(['detached', ...of]),
      endpointAdded: (id) => seen.push(['added', id]),
      endpointRemoved: (id) => seen.push(['removed', id]),
    };
    logger = { ...silentLogger, error: (line) => errors.push(line) };
    test = createTestDevice({ bootBypass: false, observer, logger });
  });

  describe('addEndpoint', () => {
    it('makes an endpoint that requests can name at once', () => {
      const { device, driver } = test;
      expect(driver.attach(1, 20)).toBe(NOENT);
      expect(driver.probe(20).status).toBe(NOENT);
      device.addEndpoint({ id: 20, reserved: [{ subtype: 1, start: 0x4000, end: 0x4fff }] });
      const probed = driver.probe(20);
      expect(probed.status).toBe(OK);
      expect([...probed.writable.subarray(0, 24)]).toEqual([
        ...[1, 0, 20, 0, 1, 0, 0, 0],
        ...[0, 0x40, 0, 0, 0, 0, 0, 0],
        ...[0xff, 0x4f, 0, 0, 0, 0, 0, 0],
      ]);
      expect(driver.attach(1, 20)).toBe(OK);
      expect(driver.map(1, 0x5000, 0x5fff, RAM)).toBe(OK);
      expect(reads(view(20), 0x5000)).toBe(true);
      expect(device.endpointCounters(20).translatedBytes).toBe(1);
      expect(seen).toEqual([
        ['added', 20],
        ['attached', 20, 1, false],
      ]);
    });

    it('has an endpoint bypass or fault as every other that is in no domain', () => {
      const { device, driver } = test;
      device.addEndpoint({ id: 20 });
      driver.giveEventBuffer();
      expect(reads(view(20), RAM)).toBe(false);
      expect([...driver.takeEvent()!.bytes.subarray(0, 9)]).toEqual([1, 0, 0, 0, 1, 1, 0, 0, 20]);
      device.writeConfig(36, 1, 1);
      expect(reads(view(20), RAM)).toBe(true);
      device.addEndpoint({ id: 21 });
      expect(reads(view(21), RAM)).toBe(true);
      device.writeConfig(36, 1, 0);
      expect(reads(view(20), RAM)).toBe(false);
      expect(reads(view(21), RAM)).toBe(false);
    });

    it('lets an endpoint with reserved regions not into a domain that maps them', () => {
      const { device, driver } = test;
      driver.attach(1, 8);
      driver.map(1, 0x4000, 0x4fff, RAM);
      device.addEndpoint({ id: 20, reserved: [{ subtype: 0, start: 0x4000, end: 0x4fff }] });
      expect(driver.attach(1, 20)).toBe(UNSUPP);
    });

    it.each([
      ['ENDPOINTS', { id: 8 }],
      ['ENDPOINTS', { id: 2 ** 32 }],
      ['RESERVED_REGION', { id: 20, reserved: [{ subtype: 9, start: 0, end: 1 }] }],
      [
        'PROBE_SIZE',
        {
          id: 20,
          reserved: Array.from({ length: 22 }, (_, n) => ({
            subtype: 0,
            start: n * 16,
            end: n * 16,
          })),
        },
      ],
    ])('throws %s, and has changed nothing', (expected, options) => {
      test.driver.attach(1, 8);
      expect(() => test.device.addEndpoint(options)).toThrow(code(expected));
      expect([...test.backend.endpoints]).toEqual([8, 9, 10]);
      expect(test.driver.attach(1, 20)).toBe(NOENT);
      expect(test.driver.detach(1, 8)).toBe(OK);
    });

    it('passes on what the backend throws, and has no such endpoint then', () => {
      test.backend.addEndpoint = () => {
        throw new Error('no room');
      };
      expect(() => test.device.addEndpoint({ id: 20 })).toThrow('no room');
      expect(test.driver.attach(1, 20)).toBe(NOENT);
      expect(seen).toEqual([]);
    });
  });

  describe('removeEndpoint', () => {
    it('ends the domain with its last endpoint, and its mappings count no more', () => {
      test = createTestDevice({ observer, maxMappings: 1 });
      const { device, driver, backend } = test;
      driver.attach(1, 8);
      driver.map(1, 0x5000, 0x5fff, RAM);
      device.removeEndpoint(8);
      expect(backend.domains.size).toBe(0);
      expect(backend.attached.size).toBe(0);
      expect([...backend.endpoints]).toEqual([9, 10]);
      expect(driver.map(1, 0x5000, 0x5fff, RAM)).toBe(NOENT);
      driver.attach(1, 9);
      expect(driver.map(1, 0x5000, 0x5fff, RAM)).toBe(OK);
      expect(seen).toEqual([
        ['attached', 8, 1, false],
        ['detached', 8, 1],
        ['removed', 8],
        ['attached', 9, 1, false],
      ]);
    });

    it('leaves the domain to the endpoints that are still in it', () => {
      const { device, driver } = test;
      driver.attach(1, 8);
      driver.attach(1, 9);
      driver.map(1, 0x5000, 0x5fff, RAM);
      const other = view(9);
      const { generation } = other;
      device.removeEndpoint(8);
      expect(other.generation).toBe(generation);
      expect(reads(other, 0x5000)).toBe(true);
      expect(driver.unmap(1, 0x5000, 0x5fff)).toBe(OK);
    });

    it('frees the domain of what was reserved for it', () => {
      const { device, driver } = test;
      driver.attach(1, 9);
      driver.attach(1, 10);
      expect(driver.map(1, 0xfee0_0000, 0xfee0_0fff, RAM)).toBe(4);
      device.removeEndpoint(10);
      expect(driver.map(1, 0xfee0_0000, 0xfee0_0fff, RAM)).toBe(OK);
    });

    it('answers NOENT to requests that name it', () => {
      const { device, driver } = test;
      driver.attach(1, 8);
      device.removeEndpoint(8);
      expect(driver.attach(1, 8)).toBe(NOENT);
      expect(driver.detach(1, 8)).toBe(NOENT);
      expect(driver.probe(8).status).toBe(NOENT);
      expect(() => device.removeEndpoint(8)).toThrow(code('ENDPOINT_UNKNOWN'));
      expect(() => device.endpointMemory(8, memory)).toThrow(code('ENDPOINT_UNKNOWN'));
      expect(() => device.endpointCounters(8)).toThrow(code('ENDPOINT_UNKNOWN'));
    });

    it.each([false, true])('refuses each access from then on, with bypass %s', (bypass) => {
      const { device, driver } = test;
      driver.attach(1, 8);
      driver.map(1, 0x5000, 0x5fff, RAM);
      const old = view(8);
      const counters = device.endpointCounters(8);
      const { generation } = old;
      device.writeConfig(36, 1, bypass ? 1 : 0);
      device.removeEndpoint(8);
      driver.giveEventBuffer();
      expect(old.generation).toBeGreaterThan(generation);
      expect(old.window(0x5000, 1, READ, out)).toBe(DENIED);
      expect(reads(old, RAM)).toBe(false);
      expect(old.write(0x5000, new Uint8Array(1), 0, 1)).toBe(false);
      expect(counters).toMatchObject({ faults: 3, bypassedBytes: 0 });
      // The driver knows no such endpoint any more.
      expect(driver.takeEvent()).toBeUndefined();
      expect(device.counters.faults).toBe(0);
    });

    it('bumps the generation of an endpoint in no domain as well', () => {
      const old = view(8);
      const { generation } = old;
      test.device.removeEndpoint(8);
      expect(old.generation).toBeGreaterThan(generation);
    });

    it('leaves the reports of its faults to the driver', () => {
      test.driver.giveEventBuffer();
      expect(reads(view(8), 0x5000)).toBe(false);
      test.device.removeEndpoint(8);
      expect(test.driver.takeEvent()!.bytes[8]).toBe(8);
    });

    it('takes an endpoint away from a backend that throws', () => {
      test.backend.removeEndpoint = () => {
        throw new Error('hardware is stuck');
      };
      test.driver.attach(1, 8);
      test.device.removeEndpoint(8);
      expect(errors).toHaveLength(1);
      expect(errors[0]).toContain('removeEndpoint');
      expect(test.driver.attach(1, 8)).toBe(NOENT);
    });

    it('is not undone by a reset', () => {
      const old = view(8);
      test.device.removeEndpoint(8);
      test.device.addEndpoint({ id: 20 });
      test.device.systemReset();
      test.driver.up();
      expect(test.driver.attach(1, 8)).toBe(NOENT);
      expect(test.driver.attach(1, 20)).toBe(OK);
      expect(reads(old, RAM)).toBe(false);
    });
  });

  describe('the same ID again', () => {
    it('is another endpoint: in no domain, with nothing counted, and not seen by what the old one left behind', () => {
      const { device, driver } = test;
      driver.attach(1, 8);
      driver.attach(1, 9);
      driver.map(1, 0x5000, 0x5fff, RAM);
      const old = view(8);
      expect(reads(old, 0x5000)).toBe(true);
      device.removeEndpoint(8);
      device.addEndpoint({ id: 8 });
      const fresh = view(8);
      expect(device.endpointCounters(8).translatedBytes).toBe(0);
      expect(reads(fresh, 0x5000)).toBe(false);
      expect(driver.detach(1, 8)).toBe(4);
      expect(driver.attach(1, 8)).toBe(OK);
      expect(reads(fresh, 0x5000)).toBe(true);
      expect(reads(old, 0x5000)).toBe(false);
      expect(old.window(0x5000, 1, READ, out)).toBe(DENIED);
    });

    it('may have other reserved regions', () => {
      const { device, driver } = test;
      device.removeEndpoint(10);
      device.addEndpoint({ id: 10 });
      expect(driver.probe(10).writable[0]).toBe(0);
      driver.attach(1, 10);
      expect(driver.map(1, 0xfee0_0000, 0xfee0_0fff, RAM)).toBe(OK);
    });
  });

  describe('while something is going on', () => {
    it.each(['attached', 'detached'] as const)('refuses within a request: %s', (method) => {
      const { device, driver } = test;
      driver.attach(1, 8);
      const thrown: unknown[] = [];
      observer[method] = () => {
        for (const call of [() => device.removeEndpoint(8), () => device.addEndpoint({ id: 20 })]) {
          try {
            call();
          } catch (error) {
            thrown.push(error);
          }
        }
      };
      expect(driver.attach(2, 8)).toBe(OK);
      expect(thrown).toEqual([code('ENDPOINT_BUSY'), code('ENDPOINT_BUSY')]);
      expect(driver.detach(2, 8)).toBe(OK);
    });

    it('goes on after an observer that throws within a request', () => {
      observer.attached = () => {
        throw new Error('careless');
      };
      expect(() => test.driver.attach(1, 8)).toThrow('careless');
      test.device.removeEndpoint(8);
      expect(test.backend.domains.size).toBe(0);
    });

    it('allows it once a request is answered', () => {
      const { device, driver } = test;
      driver.attach(1, 8);
      driver.attach(1, 9);
      observer.request = ({ type }) => {
        if (type !== 3) return;
        device.removeEndpoint(8);
        device.addEndpoint({ id: 20 });
      };
      expect(driver.map(1, 0x5000, 0x5fff, RAM)).toBe(OK);
      expect(driver.attach(1, 8)).toBe(NOENT);
      expect(driver.attach(1, 20)).toBe(OK);
      expect(reads(view(20), 0x5000)).toBe(true);
    });

    it('allows it while a reset detaches one after the other', () => {
      const { device, driver, backend } = test;
      driver.attach(1, 8);
      driver.attach(1, 9);
      driver.attach(2, 10);
      observer.detached = (id) => {
        if (id !== 8) return;
        for (const gone of [8, 9, 10]) device.removeEndpoint(gone);
        device.addEndpoint({ id: 20 });
      };
      device.reset();
      expect(backend.domains.size).toBe(0);
      expect([...backend.endpoints]).toEqual([20]);
    });

    it.each(['translated', 'fault'] as const)('stops an access in its middle: %s', (method) => {
      const { device, driver } = test;
      driver.attach(1, 8);
      driver.map(1, 0x5000, 0x5fff, RAM, READ | WRITE);
      driver.map(1, 0x6000, 0x6fff, RAM + 0x2000, READ | WRITE);
      const dma = view(8);
      observer[method] = () => device.removeEndpoint(8);
      const length = method === 'fault' ? 0x3000 : 0x2000;
      expect(dma.write(0x5000, new Uint8Array(0x3000).fill(7), 0, length)).toBe(false);
      expect(physical[0xfff]).toBe(7);
      expect(physical[0x2000]).toBe(method === 'fault' ? 7 : 0);
      expect(reads(dma, 0x5000)).toBe(false);
    });

    it.each([1, 2, 3, 4, 5, 6])(
      'breaks the queue of an endpoint that is removed at its access %i, and no other',
      (at) => {
        const { device, driver } = test;
        const queues = [8, 9].map((id) => {
          driver.attach(id, id);
          driver.map(id, 0x5000, 0x8fff, RAM + id * 0x1000 - 0x8000, READ | WRITE);
          return new RingUser(view(id), memory, RAM + id * 0x1000 - 0x8000);
        });
        // Both have been at work before, and keep windows into their rings.
        for (const queue of queues) expect(queue.work()).toBe(true);
        driver.map(8, 0x10000, 0x10fff, RAM);
        driver.unmap(8, 0x10000, 0x10fff);
        let accesses = 0;
        observer.translated = (id) => {
          if (id === 8) accesses += 1;
          if (id === 8 && accesses === at) device.removeEndpoint(8);
        };
        const [gone, stays] = queues as [RingUser, RingUser];
        gone.work();
        // Three windows are looked up anew, and no more: then it is removed between two turns.
        if (accesses < at) device.removeEndpoint(8);
        expect(gone.work()).toBe(false);
        expect(gone.reasons).toHaveLength(1);
        expect(gone.queue.broken).toBe(true);
        expect(stays.work()).toBe(true);
        expect(stays.reasons).toEqual([]);
      },
    );
  });
});

/** A device with one queue in the memory of its endpoint, at 0x5000, and its driver. */
class RingUser {
  readonly reasons: string[] = [];
  readonly queue: SplitVirtqueue;
  readonly #driver: DriverQueue;
  readonly #chain = createDescriptorChain(16);

  constructor(dma: GuestMemory, memory: GuestMemory, address: number) {
    const size = 16;
    const deviceAddress = 0x5000;
    this.#driver = createDriverQueue({ features: 0n, size, memory, address, deviceAddress });
    this.queue = new SplitVirtqueue({
      index: 0,
      ...this.#driver.addresses,
      memory: dma,
      indirect: false,
      eventIdx: false,
      onBroken: (reason) => this.reasons.push(reason),
    });
  }

  /** One buffer there and back. @returns whether it came back */
  work(): boolean {
    this.#driver.add([], [{ address: 0x5000, length: 4 }], 1);
    if (!this.queue.pop(this.#chain)) return false;
    this.queue.pushUsed(this.#chain.head, 4);
    return this.#driver.takeUsed({ token: 0, length: 0 });
  }
}
