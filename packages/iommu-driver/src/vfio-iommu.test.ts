/** The guest's VFIO: which requests a container turns into, and which errno a status becomes. */
import { VfioContainer, type VfioGroup } from '@viommu/vfio';
import { beforeEach, describe, expect, it } from 'vitest';
import { AddressAllocator } from './address-allocator.ts';
import { FakeIommu } from './fixtures/fake-iommu.ts';
import { ProcessMemory } from './process-memory.ts';
import { createVfioIommu } from './vfio-iommu.ts';

const PAGE = 0x1000;
const READ = 1;
let iommu: FakeIommu;
let container: VfioContainer;
let process: ProcessMemory;
let group: VfioGroup;

/** Every request so far: its name, and of MAP and UNMAP the range and the memory. */
function requests(): string[] {
  return iommu.seen.splice(0).map(({ readable }) => {
    const view = new DataView(readable.buffer, readable.byteOffset);
    const number = (offset: number) => `0x${view.getBigUint64(offset, true).toString(16)}`;
    if (readable[0] === 3)
      return `map ${number(8)} ${number(16)} ${number(24)} ${view.getUint32(32, true)}`;
    if (readable[0] === 4) return `unmap ${number(8)} ${number(16)}`;
    return `${['', 'attach', 'detach', '', '', 'probe'][readable[0]!]} ${view.getUint32(readable[0] === 5 ? 4 : 8, true)}`;
  });
}

/** Answers requests of a type with a status, others with S_OK. */
function refuse(type: number, status: number, endpoint?: number): void {
  iommu.answer = ({ readable, writableLength }) => {
    const bytes = new Uint8Array(writableLength);
    const isMeant = endpoint === undefined || readable[8] === endpoint;
    if (readable[0] === type && isMeant) bytes[writableLength - 4] = status;
    return { bytes, usedLength: writableLength };
  };
}

beforeEach(() => {
  iommu = new FakeIommu();
  const driver = iommu.driver();
  process = new ProcessMemory({
    memory: iommu.memory,
    pages: new AddressAllocator(0x40000, 0x4ffff, PAGE),
    firstAddress: 0x10_0000_0000,
  });
  container = new VfioContainer({
    iommu: createVfioIommu({ driver, domain: 9 }),
    userMemory: process,
  });
  group = { endpoints: [0x28] };
});

describe('createVfioIommu', () => {
  it('maps user memory at its own address, one MAP per run of guest-physical pages', () => {
    expect(container.attachGroup(group)).toBe(0);
    const buffer = process.mmap(2 * PAGE);
    expect(container.mapDma(buffer, buffer, 2 * PAGE, READ)).toBe(0);
    expect(requests()).toEqual([
      'probe 40',
      'attach 40',
      // Pages come from the top down, so no two are one run.
      'map 0x1000000000 0x1000000fff 0x4f000 1',
      'map 0x1000001000 0x1000001fff 0x4e000 1',
    ]);
    expect(container.unmapDma(buffer, 2 * PAGE)).toBe(2 * PAGE);
    expect(container.detachGroup(group)).toBe(0);
    expect(requests()).toEqual(['unmap 0x1000000000 0x1000001fff', 'detach 40']);
  });

  it('offers no address that is reserved for an endpoint', () => {
    iommu.answer = ({ readable, writableLength }) => {
      const bytes = new Uint8Array(writableLength);
      // 0xfee00000 to 0xfeefffff.
      if (readable[0] === 5) {
        bytes.set([1, 0, 20, 0, 1, 0, 0, 0, 0, 0, 0xe0, 0xfe, 0, 0, 0, 0, 0xff, 0xff, 0xef, 0xfe]);
      }
      return { bytes, usedLength: writableLength };
    };
    container.attachGroup(group);
    expect(container.info.iovaRanges).toEqual([
      { start: 0, end: 0xfedf_ffff },
      { start: 0xfef0_0000, end: 2 ** 39 - 1 },
    ]);
    const buffer = process.mmap(PAGE);
    expect(container.mapDma(buffer, 0xfee0_0000, PAGE, READ)).toBe(-22);
  });

  it('offers the addresses again when the endpoint has left, and of a group that did not come', () => {
    const reserving = (attachStatus: number) => {
      iommu.answer = ({ readable, writableLength }) => {
        const bytes = new Uint8Array(writableLength);
        // Of endpoint 0x29: 0x1000 to 0x1fff.
        if (readable[0] === 5 && readable[4] === 0x29) {
          bytes.set([1, 0, 20, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0xff, 0x1f]);
        }
        if (readable[0] === 1 && readable[8] === 0x29) bytes[writableLength - 4] = attachStatus;
        return { bytes, usedLength: writableLength };
      };
    };
    const all = [{ start: 0, end: 2 ** 39 - 1 }];
    const other = { endpoints: [0x29] };
    container.attachGroup(group);
    reserving(8);
    expect(container.attachGroup(other)).toBe(-12);
    expect(container.info.iovaRanges).toEqual(all);
    reserving(0);
    expect(container.attachGroup(other)).toBe(0);
    expect(container.info.iovaRanges).toEqual([
      { start: 0, end: 0xfff },
      { start: 0x2000, end: 2 ** 39 - 1 },
    ]);
    container.detachGroup(other);
    expect(container.info.iovaRanges).toEqual(all);
  });

  it('lets go of an endpoint that was unplugged, and of the domain that ended with it', () => {
    container.attachGroup(group);
    const buffer = process.mmap(PAGE);
    container.mapDma(buffer, buffer, PAGE, READ);
    iommu.answer = ({ writableLength }) => {
      const bytes = new Uint8Array(writableLength);
      bytes[writableLength - 4] = 6;
      return { bytes, usedLength: writableLength };
    };
    expect(container.detachGroup(group)).toBe(0);
    expect(container.info.dmaAvailable).toBe(65535);
  });

  it('throws when it cannot let go for any other reason', () => {
    container.attachGroup(group);
    refuse(2, 3);
    expect(() => container.detachGroup(group)).toThrow('DETACH');
  });

  it.each([
    [1, 5],
    [2, 38],
    [3, 5],
    [4, 22],
    [5, 34],
    [6, 2],
    [7, 14],
    [8, 12],
  ])('makes errno of status %i: %i', (status, errno) => {
    container.attachGroup(group);
    refuse(3, status);
    const buffer = process.mmap(PAGE);
    expect(container.mapDma(buffer, buffer, PAGE, READ)).toBe(-errno);
    expect(container.info.dmaAvailable).toBe(65535);
  });

  it('lets go of a group that cannot be attached as a whole', () => {
    refuse(1, 8, 0x29);
    expect(container.attachGroup({ endpoints: [0x28, 0x29] })).toBe(-12);
    expect(requests()).toEqual(['probe 40', 'attach 40', 'probe 41', 'attach 41', 'detach 40']);
  });
});

describe('ProcessMemory', () => {
  it('reads back what was written, across pages that lie apart', () => {
    const buffer = process.mmap(3 * PAGE);
    const bytes = Uint8Array.from({ length: 2 * PAGE }, (_, index) => index * 5);
    process.write(buffer + 100, bytes);
    const back = new Uint8Array(bytes.length);
    process.read(buffer + 100, back);
    expect(back).toEqual(bytes);
  });

  it('has nothing before and behind a buffer', () => {
    const buffer = process.mmap(PAGE);
    const second = process.mmap(PAGE);
    for (const address of [buffer - 1, buffer + PAGE - 1, second + PAGE]) {
      expect(() => process.read(address, new Uint8Array(2))).toThrow(
        expect.objectContaining({ code: 'EFAULT' }),
      );
    }
  });

  it('pins page by page', () => {
    const buffer = process.mmap(2 * PAGE);
    const run = { physical: 0, length: 0 };
    expect(process.pin(buffer + 0x10, 2 * PAGE - 0x10, READ, run)).toBe(true);
    expect(run).toEqual({ physical: 0x4f010, length: PAGE - 0x10 });
    expect(process.pin(buffer + PAGE, 0x10, READ, run)).toBe(true);
    expect(run).toEqual({ physical: 0x4e000, length: 0x10 });
  });
});
