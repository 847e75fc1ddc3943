import { backendSuite, DrivenBackend } from '@viommu/iommu-core/testing';
import { type UserMemory, VfioContainer, type VfioContainerOptions } from '@viommu/vfio';
import { ArrayGuestMemory, type Logger, silentLogger } from '@viommu/virtqueue';
import { beforeEach, describe, expect, it } from 'vitest';
import { HostMemory } from '../host/host-memory.ts';
import { PhysicalIommu } from '../host/physical-iommu.ts';
import type { PassedThrough } from './joined-device.ts';
import { MemorySlots } from './memory-slots.ts';
import { nestedBackend } from './nested-backend.ts';

const READ = 1;
const WRITE = 2;
const OK = 0;
const NO_DOMAIN = 1;
const NO_MAPPING = 2;
const S_INVAL = 4;
const S_RANGE = 5;
const S_FAULT = 7;
const S_NOMEM = 8;
const PAGE = 0x1000;

type ContainerOptions = Partial<VfioContainerOptions>;

/** Endpoints 1 to 3 of the guest are 0x101 to 0x103 on the host. */
function passThrough(
  physical: PhysicalIommu,
  userMemory: UserMemory,
  endpoint: number,
  options: ContainerOptions = {},
): PassedThrough {
  const container = new VfioContainer({
    iommu: physical.createAddressSpace(),
    userMemory,
    ...options,
  });
  const hostEndpoint = 0x100 + endpoint;
  expect(container.attachGroup({ endpoints: [hostEndpoint] })).toBe(0);
  return { hostEndpoint, container };
}

/** Where guest-physical, user and host-physical addresses are the same, joining must be invisible. */
backendSuite('nestedBackend, all endpoints passed through', (components) => {
  const physical = new PhysicalIommu();
  const identity: UserMemory = {
    pin(userAddress, length, _flags, out) {
      out.physical = userAddress;
      out.length = length;
      return true;
    },
  };
  const slots = new MemorySlots();
  slots.add({ guestStart: 0, length: 2 ** 48, userAddress: 0 });
  // No device emits such an address, but a mapping can lead there.
  slots.add({ guestStart: 2 ** 48, length: 2 ** 52 - 2 ** 48, userAddress: 2 ** 48 });
  const devices = [1, 2, 3].map((endpoint) => passThrough(physical, identity, endpoint));
  const passedThrough = (endpoint: number) => devices[endpoint - 1];
  return nestedBackend({ slots, physical, passedThrough })(components);
});

backendSuite('nestedBackend, no endpoint passed through', (components) =>
  nestedBackend({
    slots: new MemorySlots(),
    physical: new PhysicalIommu(),
    passedThrough: () => undefined,
  })(components),
);

describe('nestedBackend', () => {
  let host: HostMemory;
  let slots: MemorySlots;
  let physical: PhysicalIommu;
  let backend: DrivenBackend;
  let ram: number;
  let rom: number;
  /** What reached the physical IOMMU for endpoint 1, as IOVA ranges. */
  let mapped: [number, number][];
  let unmapped: [number, number][];
  let warnings: string[];
  /** By endpoint of the guest. */
  let devices: Map<number, PassedThrough>;
  const out = { physical: -1, length: -1, bypass: false };
  const logger: Logger = { ...silentLogger, warn: (message) => warnings.push(message) };

  /** RAM at 0x10000 to 0x1ffff, a ROM at 0x40000 to 0x41fff; endpoint 3 is a virtual device. */
  const create = (options: ContainerOptions = {}): DrivenBackend => {
    host = new HostMemory({ frameSize: 2 * PAGE });
    slots = new MemorySlots();
    physical = new PhysicalIommu({ reserved: [{ start: 0xfee0_0000, end: 0xfeef_ffff }] });
    const memory = new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(0x50000) }]);
    ram = host.mapMemory(memory, 0x10000, 0x10000);
    rom = host.mapMemory(memory, 0x40000, 0x2000);
    slots.add({ guestStart: 0x10000, length: 0x10000, userAddress: ram });
    slots.add({ guestStart: 0x40000, length: 0x2000, userAddress: rom, access: READ });
    mapped = [];
    unmapped = [];
    warnings = [];
    const observer = {
      mapped: (iova: number, end: number) => mapped.push([iova, end]),
      unmapped: (iova: number, end: number) => unmapped.push([iova, end]),
    };
    devices = new Map([
      [1, passThrough(physical, host, 1, { observer, ...options })],
      [2, passThrough(physical, host, 2)],
    ]);
    const passedThrough = (endpoint: number) => devices.get(endpoint);
    const made = new DrivenBackend(nestedBackend({ slots, physical, passedThrough })({ logger }));
    for (const endpoint of [1, 2, 3]) made.addEndpoint(endpoint);
    return made;
  };
  const translate = (endpoint: number, address: number, length = 1, access = READ): number =>
    backend.translate(endpoint, address, length, access, out);
  /** Host-physical address of a user address. */
  const pinned = (userAddress: number): number => {
    const run = { physical: 0, length: 0 };
    expect(host.pin(userAddress, 1, READ, run)).toBe(true);
    return run.physical;
  };

  beforeEach(() => {
    backend = create();
    backend.createDomain(7, false);
  });

  it('has the physical IOMMU translate in one step, frame by frame', () => {
    backend.attach(1, 7);
    expect(backend.map(7, 0x8000, 0xbfff, 0x11000, READ | WRITE)).toBe(OK);
    const frames = [pinned(ram + 0x1000), pinned(ram + 0x2000), pinned(ram + 0x4000)];
    expect(new Set(frames).size).toBe(3);
    expect(frames[1]).not.toBe(frames[0]! + PAGE);
    expect(translate(1, 0x8010, 0x4000)).toBe(OK);
    expect(out).toEqual({ physical: frames[0]! + 0x10, length: PAGE - 0x10, bypass: false });
    expect(translate(1, 0x9000, 0x3000)).toBe(OK);
    expect(out).toEqual({ physical: frames[1], length: 2 * PAGE, bypass: false });
    expect(translate(1, 0xb000, 0x3000)).toBe(OK);
    expect(out).toEqual({ physical: frames[2], length: PAGE, bypass: false });
    expect(mapped).toEqual([
      [0x8000, 0x8fff],
      [0x9000, 0xafff],
      [0xb000, 0xbfff],
    ]);
  });

  it('translates virtual devices by stage 1 alone, in the same domain', () => {
    backend.attach(1, 7);
    backend.attach(3, 7);
    backend.map(7, 0x8000, 0x8fff, 0x11000, READ);
    expect(translate(3, 0x8010)).toBe(OK);
    expect(out.physical).toBe(0x11010);
    expect(translate(1, 0x8010)).toBe(OK);
    expect(out.physical).toBe(pinned(ram + 0x1000) + 0x10);
  });

  it.each([
    ['beyond the slot', 0x1f000, 0x2000, READ, S_RANGE],
    ['where there is none', 0x30000, PAGE, READ, S_RANGE],
    ['before the slot', 0xf000, 0x2000, READ, S_RANGE],
    ['to write a ROM', 0x41000, PAGE, WRITE, S_RANGE],
  ])('refuses a MAP %s as a whole', (_, physStart, length, flags, status) => {
    backend.attach(1, 7);
    backend.attach(3, 7);
    expect(backend.map(7, 0x8000, 0x8000 + length - 1, physStart, flags)).toBe(status);
    expect(mapped).toEqual([]);
    expect(translate(1, 0x8000)).toBe(NO_MAPPING);
    expect(translate(3, 0x8000)).toBe(NO_MAPPING);
    expect(backend.map(7, 0x8000, 0x8fff, 0x40000, READ)).toBe(OK);
  });

  it('asks nothing of stage 2 while no device of the host is in the domain', () => {
    backend.attach(3, 7);
    expect(backend.map(7, 0x8000, 0x8fff, 0x30000, READ)).toBe(OK);
    expect(backend.map(7, 0x9000, 0x9fff, 0x12000, READ)).toBe(OK);
    // Now a device comes, which gets what there is.
    expect(backend.attach(1, 7)).toBe(OK);
    expect(mapped).toEqual([[0x9000, 0x9fff]]);
    expect(translate(1, 0x8000)).toBe(NO_MAPPING);
    expect(translate(1, 0x9000)).toBe(OK);
  });

  it('maps across slots that touch', () => {
    slots.add({ guestStart: 0x20000, length: 0x1000, userAddress: ram });
    backend.attach(1, 7);
    expect(backend.map(7, 0x8000, 0x9fff, 0x1f000, READ)).toBe(OK);
    expect(translate(1, 0x9000)).toBe(OK);
    expect(out.physical).toBe(pinned(ram));
    expect(backend.unmap(7, 0, 0xffff)).toBe(OK);
    expect(translate(1, 0x8000)).toBe(NO_MAPPING);
    expect(translate(1, 0x9000)).toBe(NO_MAPPING);
  });

  it('unmaps for all devices of the domain', () => {
    backend.attach(1, 7);
    backend.attach(2, 7);
    backend.map(7, 0x8000, 0x8fff, 0x10000, READ);
    backend.map(7, 0x9000, 0x9fff, 0x10000, READ);
    expect(backend.unmap(7, 0x8000, 0x8fff)).toBe(OK);
    for (const endpoint of [1, 2]) {
      expect(translate(endpoint, 0x8000)).toBe(NO_MAPPING);
      expect(translate(endpoint, 0x9000)).toBe(OK);
    }
    expect(unmapped).toEqual([[0x8000, 0x8fff]]);
  });

  it('tells the guest when the host allows no more mappings, and has changed nothing then', () => {
    backend = create({ dmaEntryLimit: 1 });
    backend.createDomain(7, false);
    backend.attach(2, 7);
    backend.attach(1, 7);
    expect(backend.map(7, 0x8000, 0x8fff, 0x10000, READ)).toBe(OK);
    expect(backend.map(7, 0x9000, 0x9fff, 0x10000, READ)).toBe(S_NOMEM);
    expect(translate(2, 0x9000)).toBe(NO_MAPPING);
    backend.unmap(7, 0x8000, 0x8fff);
    expect(backend.map(7, 0x9000, 0x9fff, 0x10000, READ)).toBe(OK);
  });

  it('tells the guest of addresses that are reserved on the host, and of memory that cannot be pinned', () => {
    backend.attach(1, 7);
    expect(backend.map(7, 0xfee0_0000, 0xfee0_0fff, 0x10000, READ)).toBe(S_INVAL);
    host.unmap(rom);
    expect(backend.map(7, 0x8000, 0x8fff, 0x40000, READ)).toBe(S_FAULT);
    expect(mapped).toEqual([]);
  });

  it('leaves an endpoint where it was when its new domain does not fit the container', () => {
    backend = create({ dmaEntryLimit: 2 });
    backend.createDomain(7, false);
    backend.createDomain(8, false);
    for (const virtStart of [0x1000, 0x2000, 0x3000]) {
      backend.map(8, virtStart, virtStart + PAGE - 1, 0x10000, READ);
    }
    backend.attach(1, 7);
    backend.map(7, 0x8000, 0x8fff, 0x12000, READ);
    expect(backend.attach(1, 8)).toBe(S_NOMEM);
    expect(translate(1, 0x1000)).toBe(NO_MAPPING);
    expect(translate(1, 0x8000)).toBe(OK);
    backend.unmap(8, 0x1000, 0x1fff);
    expect(backend.attach(1, 8)).toBe(OK);
    expect(translate(1, 0x2000)).toBe(OK);
    expect(translate(1, 0x8000)).toBe(NO_MAPPING);
  });

  it('in bypass shows each slot at its guest-physical address, with its access', () => {
    expect(translate(1, 0x10000)).toBe(NO_DOMAIN);
    backend.setBypass(true);
    expect(translate(1, 0x10010, 0x4000)).toBe(OK);
    expect(out).toEqual({ physical: pinned(ram) + 0x10, length: 2 * PAGE - 0x10, bypass: true });
    expect(translate(1, 0x40000, 1, READ)).toBe(OK);
    expect(translate(1, 0x40000, 1, WRITE)).toBe(NO_MAPPING);
    expect(translate(1, 0x30000)).toBe(NO_MAPPING);
    backend.attach(1, 7);
    expect(translate(1, 0x10000)).toBe(NO_MAPPING);
    backend.detach(1);
    expect(translate(1, 0x10000)).toBe(OK);
    backend.setBypass(false);
    expect(translate(1, 0x10000)).toBe(NO_DOMAIN);
    backend.createDomain(9, true);
    backend.attach(1, 9);
    expect(translate(1, 0x10000)).toBe(OK);
    expect(out.bypass).toBe(true);
  });

  describe('when stage 2 changes', () => {
    const reset = (): void => {
      mapped = [];
      unmapped = [];
    };

    beforeEach(() => {
      backend.attach(1, 7);
      backend.map(7, 0x8000, 0x8fff, 0x11000, READ);
      backend.map(7, 0x9000, 0x9fff, 0x40000, READ);
      backend.map(7, 0xa000, 0xbfff, 0x1e000, READ);
      mapped.length = 0;
    });

    it('takes what lies in a removed slot out, and nothing else', () => {
      const { generation } = backend.backend;
      slots.remove(0x10000);
      expect(unmapped).toEqual([
        [0x8000, 0x8fff],
        [0xa000, 0xbfff],
      ]);
      expect(mapped).toEqual([]);
      expect(backend.backend.generation).toBeGreaterThan(generation);
      expect(translate(1, 0x8000)).toBe(NO_MAPPING);
      expect(translate(1, 0x9000)).toBe(OK);
    });

    it('joins what lies in an added slot, and nothing else', () => {
      slots.remove(0x10000);
      reset();
      slots.add({ guestStart: 0x10000, length: 0xf000, userAddress: ram });
      expect(mapped).toEqual([
        [0x8000, 0x8fff],
        [0xa000, 0xafff],
      ]);
      expect(unmapped).toEqual([]);
      expect(translate(1, 0xa000)).toBe(OK);
      expect(translate(1, 0xb000)).toBe(NO_MAPPING);
      // The rest of the mapping is still stage 1's, and is joined when its memory comes.
      slots.add({ guestStart: 0x1f000, length: 0x1000, userAddress: ram });
      expect(translate(1, 0xb000)).toBe(OK);
      expect(out.physical).toBe(pinned(ram));
    });

    it('follows a slot that moves', () => {
      slots.move(0x40000, 0x11_0000);
      expect(unmapped).toEqual([[0x9000, 0x9fff]]);
      expect(translate(1, 0x9000)).toBe(NO_MAPPING);
      expect(backend.map(7, 0xc000, 0xcfff, 0x11_0000, READ)).toBe(OK);
      expect(translate(1, 0xc000)).toBe(OK);
      expect(out.physical).toBe(pinned(rom));
      slots.move(0x11_0000, 0x40000);
      expect(translate(1, 0x9000)).toBe(OK);
      expect(translate(1, 0xc000)).toBe(NO_MAPPING);
    });

    it('unmaps mappings whose memory is gone', () => {
      slots.remove(0x10000);
      expect(backend.unmap(7, 0x8000, 0xbfff)).toBe(OK);
      reset();
      slots.add({ guestStart: 0x10000, length: 0x10000, userAddress: ram });
      expect(mapped).toEqual([]);
    });

    it('moves the identity of a device that bypasses', () => {
      backend.detach(1);
      backend.setBypass(true);
      expect(translate(1, 0x41000)).toBe(OK);
      slots.move(0x40000, 0x60000);
      expect(translate(1, 0x41000)).toBe(NO_MAPPING);
      expect(translate(1, 0x61000)).toBe(OK);
      expect(warnings).toEqual([]);
    });

    it('warns when the host refuses what it shall join', () => {
      slots.remove(0x40000);
      host.unmap(rom);
      slots.add({ guestStart: 0x40000, length: 0x2000, userAddress: rom });
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toContain('errno 14');
      expect(translate(1, 0x9000)).toBe(NO_MAPPING);
      expect(translate(1, 0x8000)).toBe(OK);
    });
  });

  it('takes back each part of a MAP over several slots when one does not fit', () => {
    backend = create({ dmaEntryLimit: 2 });
    slots.add({ guestStart: 0x20000, length: 0x1000, userAddress: ram });
    backend.createDomain(7, false);
    for (const endpoint of [2, 1, 3]) backend.attach(endpoint, 7);
    backend.map(7, 0x1000, 0x1fff, 0x10000, READ);
    mapped.length = 0;
    expect(backend.map(7, 0x8000, 0x9fff, 0x1f000, READ)).toBe(S_NOMEM);
    expect(mapped).toEqual([[0x8000, 0x8fff]]);
    expect(unmapped).toEqual([[0x8000, 0x8fff]]);
    for (const endpoint of [1, 2, 3]) {
      expect(translate(endpoint, 0x1000)).toBe(OK);
      expect(translate(endpoint, 0x8000)).toBe(NO_MAPPING);
      expect(translate(endpoint, 0x9000)).toBe(NO_MAPPING);
    }
    expect(devices.get(1)!.container.info.dmaAvailable).toBe(1);
    expect(devices.get(2)!.container.info.dmaAvailable).toBe(65534);
  });

  it('gives the second device of a domain what the first has, and each its own container', () => {
    backend.attach(2, 7);
    for (const virtStart of [0x8000, 0x9000]) {
      backend.map(7, virtStart, virtStart + PAGE - 1, 0x10000 + virtStart, READ);
    }
    expect(mapped).toEqual([]);
    expect(backend.attach(1, 7)).toBe(OK);
    expect(mapped).toEqual([
      [0x8000, 0x8fff],
      [0x9000, 0x9fff],
    ]);
    backend.detach(2);
    expect(devices.get(2)!.container.info.dmaAvailable).toBe(65535);
    expect(translate(2, 0x8000)).toBe(NO_DOMAIN);
    expect(translate(1, 0x8000)).toBe(OK);
  });

  it('warns when an endpoint cannot go back to where it was either', () => {
    backend.attach(1, 7);
    backend.map(7, 0x8000, 0x8fff, 0x40000, READ);
    backend.createDomain(8, false);
    backend.attach(3, 8);
    backend.map(8, 0x8000, 0x8fff, 0x40000, READ);
    host.unmap(rom);
    expect(backend.attach(1, 8)).toBe(S_FAULT);
    expect(warnings).toHaveLength(1);
    expect(translate(1, 0x8000)).toBe(NO_MAPPING);
    // It is in its former domain all the same.
    expect(backend.map(7, 0x9000, 0x9fff, 0x10000, READ)).toBe(OK);
    expect(translate(1, 0x9000)).toBe(OK);
  });

  it('throws when two endpoints share a container, and has no such endpoint then', () => {
    devices.set(4, devices.get(1)!);
    expect(() => backend.addEndpoint(4)).toThrow(expect.objectContaining({ code: 'CONTAINER' }));
    backend.setBypass(true);
    expect(translate(4, 0x10000)).toBe(NO_DOMAIN);
  });

  describe('a device that comes and goes', () => {
    it('leaves an empty container behind, and the others in the domain what they have', () => {
      backend.setBypass(true);
      for (const endpoint of [1, 2]) backend.attach(endpoint, 7);
      backend.map(7, 0x8000, 0x8fff, 0x11000, READ);
      mapped.length = 0;
      unmapped.length = 0;
      backend.removeEndpoint(1);
      expect(unmapped).toEqual([[0x8000, 0x8fff]]);
      // Not even for a moment does it see what bypass would show it.
      expect(mapped).toEqual([]);
      expect(physical.translate(0x101, 0x8000, 1, READ, out)).toBe(NO_MAPPING);
      expect(translate(1, 0x8000)).toBe(NO_DOMAIN);
      expect(translate(2, 0x8000)).toBe(OK);
      expect(backend.map(7, 0x9000, 0x9fff, 0x12000, READ)).toBe(OK);
      slots.move(0x10000, 0x50000);
      expect(mapped).toEqual([]);
      expect(devices.get(1)!.container.info.dmaAvailable).toBe(65535);
    });

    it('may be another device next time, or a virtual one', () => {
      backend.attach(2, 7);
      backend.map(7, 0x8000, 0x8fff, 0x11000, READ);
      backend.removeEndpoint(1);
      devices.set(1, passThrough(physical, host, 9));
      backend.addEndpoint(1);
      expect(backend.attach(1, 7)).toBe(OK);
      expect(physical.translate(0x109, 0x8010, 1, READ, out)).toBe(OK);
      expect(out.physical).toBe(pinned(ram + 0x1000) + 0x10);
      backend.removeEndpoint(1);
      devices.delete(1);
      backend.addEndpoint(1);
      backend.attach(1, 7);
      expect(translate(1, 0x8010)).toBe(OK);
      expect(out.physical).toBe(0x11010);
    });

    it('sees all slots when it comes while bypass is on', () => {
      backend.setBypass(true);
      devices.set(4, passThrough(physical, host, 4));
      backend.addEndpoint(4);
      expect(translate(4, 0x10010)).toBe(OK);
      expect(out).toEqual({ physical: pinned(ram) + 0x10, length: 1, bypass: true });
    });
  });
});
