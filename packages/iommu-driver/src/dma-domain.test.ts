/** The DMA API: which requests it turns into, what it keeps off, and that a failure leaves nothing behind. */
import { beforeEach, expect, it } from 'vitest';
import { AddressAllocator } from './address-allocator.ts';
import { DmaDomain } from './dma-domain.ts';
import { FakeIommu } from './fixtures/fake-iommu.ts';

let iommu: FakeIommu;
let domain: DmaDomain;

beforeEach(() => {
  iommu = new FakeIommu();
  domain = new DmaDomain({ driver: iommu.driver(), domain: 5, pages: iommu.pages });
});

/** Type, and for MAP and UNMAP the range, the memory and the flags of each request so far. */
function requests(): (string | undefined)[] {
  return iommu.seen.splice(0).map(({ readable }) => {
    const view = new DataView(readable.buffer);
    const number = (offset: number) => `0x${view.getBigUint64(offset, true).toString(16)}`;
    switch (readable[0]) {
      case 3:
        return `map ${number(8)} ${number(16)} ${number(24)} ${view.getUint32(32, true)}`;
      case 4:
        return `unmap ${number(8)} ${number(16)}`;
      default:
        return `${['', 'attach', 'detach', '', '', 'probe'][readable[0]!]}${readable[0] === 1 && readable[12] !== 0 ? ' bypass' : ''}`;
    }
  });
}

it('attaches, and detaches', () => {
  expect(domain.attach(0x28)).toEqual([]);
  domain.detach(0x28);
  expect(requests()).toEqual(['probe', 'attach', 'detach']);
});

it('maps the granules that memory touches, below the end of the input range', () => {
  expect(domain.map(0x12345, 10, 1)).toBe(0x7f_ffff_f345);
  expect(domain.map(0x12ffe, 4, 2)).toBe(0x7f_ffff_dffe);
  expect(domain.map(0x20000, 0x3000, 3)).toBe(0x7f_ffff_a000);
  expect(requests()).toEqual([
    'map 0x7ffffff000 0x7fffffffff 0x12000 1',
    'map 0x7fffffd000 0x7fffffefff 0x12000 2',
    'map 0x7fffffa000 0x7fffffcfff 0x20000 3',
  ]);
  domain.unmap(0x7f_ffff_dffe, 4);
  expect(requests()).toEqual(['unmap 0x7fffffd000 0x7fffffefff']);
  expect(domain.map(0x30000, 0x2000, 3)).toBe(0x7f_ffff_d000);
});

it('maps no single byte, however small the granule is', () => {
  iommu = new FakeIommu();
  iommu.config.setUint8(0, 1);
  domain = new DmaDomain({ driver: iommu.driver(), domain: 5, pages: iommu.pages });
  expect(domain.map(0x12345, 1, 1)).toBe(0x7f_ffff_ffff);
  expect(requests()).toEqual(['map 0x7ffffffffe 0x7fffffffff 0x12344 1']);
});

it.each([0, 1, 7])('keeps off what is reserved for its endpoints, by subtype %d', (subtype) => {
  iommu.answer = ({ readable, writableLength }) => {
    const bytes = new Uint8Array(writableLength);
    // A region from 0x7f_ffff_0000 to the end of the input range.
    if (readable[0] === 5) {
      bytes.set([1, 0, 20, 0, subtype, 0, 0, 0, 0, 0, 0xff, 0xff, 0x7f, 0, 0, 0]);
      bytes.set([0xff, 0xff, 0xff, 0xff, 0x7f], 16);
    }
    return { bytes, usedLength: writableLength };
  };
  expect(domain.attach(1)).toEqual([{ subtype, start: 0x7f_ffff_0000, end: 0x7f_ffff_ffff }]);
  expect(domain.map(0x20000, 1, 1)).toBe(0x7f_fffe_f000);
});

it('lends memory of its own, and takes it back', () => {
  const free = iommu.pages.freeBytes;
  const buffer = domain.allocate(5000);
  expect(buffer.length).toBe(5000);
  expect(buffer.deviceAddress).toBe(0x7f_ffff_e000);
  expect(iommu.pages.freeBytes).toBe(free - 8192);
  domain.free(buffer);
  expect(iommu.pages.freeBytes).toBe(free);
  const address = `0x${buffer.address.toString(16)}`;
  expect(requests()).toEqual([
    `map 0x7fffffe000 0x7fffffffff ${address} 3`,
    'unmap 0x7fffffe000 0x7fffffffff',
  ]);
});

it('keeps nothing when the device refuses', () => {
  const free = iommu.pages.freeBytes;
  const { answer } = iommu;
  iommu.answer = () => ({ bytes: Uint8Array.of(8, 0, 0, 0), usedLength: 4 });
  expect(() => domain.allocate(4096)).toThrow(expect.objectContaining({ code: 'S_NOMEM' }));
  expect(iommu.pages.freeBytes).toBe(free);
  iommu.answer = answer;
  expect(domain.allocate(4096).deviceAddress).toBe(0x7f_ffff_f000);
});

it('refuses pages smaller than the granule of the device', () => {
  const pages = new AddressAllocator(0, 0xffff, 512);
  expect(() => new DmaDomain({ driver: iommu.driver(), domain: 1, pages })).toThrow(
    expect.objectContaining({ code: 'GRANULE' }),
  );
});
