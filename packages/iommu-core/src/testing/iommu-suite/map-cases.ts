/** Cases of iommuSuite about MAP. */
import { expect } from 'vitest';
import {
  all,
  blocking,
  dma,
  dmaRead,
  feature,
  type IommuCase,
  pages,
  singleBytes,
} from './iommu-case.ts';
import { BYPASS, FEATURE, LAST_ADDRESS, MMIO, READ, WRITE } from './wire.ts';

const MAP = 'MAP request';

export const mapCases: readonly IommuCase[] = [
  {
    name: 'MAP to a domain that does not exist is NOENT',
    section: MAP,
    level: 'SHOULD',
    says: 'A domain that does not exist: NOENT.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      setting.attached(1);
      expect(setting.mapPages(setting.domain(2), 0)).toBe('NOENT');
    },
  },
  {
    name: 'MAP to a bypass domain is INVAL',
    section: MAP,
    level: 'SHOULD',
    says: 'A bypass domain: INVAL.',
    needs: all(feature('MAP_UNMAP'), feature('BYPASS_CONFIG')),
    run(setting) {
      const domain = setting.domain(1);
      expect(setting.attach(domain, setting.endpoint, BYPASS)).toBe('OK');
      expect(setting.mapPages(domain, 0)).toBe('INVAL');
    },
  },
  {
    name: 'MAP with a flag that is not known is INVAL',
    section: MAP,
    level: 'MUST',
    says: 'A flag that the device does not know: INVAL.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const domain = setting.attached();
      for (const flags of [8, 0x100, 0x8000_0000, 0xffff_fff8]) {
        const status = setting.mapPages(domain, 0, 0, 0, flags | READ);
        expect({ flags, status }).toEqual({ flags, status: 'INVAL' });
      }
      expect(setting.mappedPages(domain)).toEqual([]);
    },
  },
  {
    name: 'MAP with the flag MMIO is INVAL when its feature was not accepted',
    section: MAP,
    level: 'described',
    says: 'VIRTIO_IOMMU_MAP_F_MMIO is there with VIRTIO_IOMMU_F_MMIO alone.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      setting.bringUp(FEATURE.MMIO);
      const domain = setting.attached();
      expect(setting.mapPages(domain, 0, 0, 0, READ | WRITE | MMIO)).toBe('INVAL');
    },
  },
  {
    name: 'MAP that is not aligned to the granule is RANGE',
    section: MAP,
    level: 'SHOULD',
    says: 'A virt_start, phys_start or virt_end + 1 that is not aligned to the granule: RANGE.',
    needs: all(feature('MAP_UNMAP'), pages),
    run(setting) {
      const domain = setting.attached();
      const [start, end, phys] = [setting.start(1), setting.end(2), setting.phys(1)];
      const half = setting.unit / 2;
      for (const [what, ...range] of [
        ['virt_start', start + half, end, phys],
        ['virt_end', start, end - half, phys],
        ['virt_end by one', start, end - 1, phys],
        ['phys_start', start, end, phys + half],
      ] as const) {
        expect([what, setting.map(domain, ...range)]).toEqual([what, 'RANGE']);
      }
      expect(setting.mappedPages(domain)).toEqual([]);
    },
  },
  {
    name: 'MAP of single bytes, when the granule is a byte',
    section: MAP,
    level: 'described',
    says: 'Where `page_size_mask` has bit 0, one byte can be mapped at a time.',
    needs: all(feature('MAP_UNMAP'), singleBytes),
    run(setting) {
      const domain = setting.attached();
      expect(setting.mapPages(domain, 3, 3, 9)).toBe('OK');
      expect(setting.mapPages(domain, 4, 4, 2)).toBe('OK');
      expect(setting.mappedPages(domain)).toEqual([3, 4]);
      if (setting.device.dma === undefined) return;
      setting.expectReached(setting.start(3), 9);
      setting.expectReached(setting.start(4), 2);
      setting.expectRefused(setting.start(5));
    },
  },
  {
    name: 'MAP outside input_range fails',
    section: 'Device configuration layout',
    level: 'described',
    says: 'A mapping of addresses outside `input_range` fails; no status is named.',
    needs: (setting) => {
      const missing = all(feature('MAP_UNMAP'), feature('INPUT_RANGE'))(setting);
      if (missing !== undefined) return missing;
      return setting.inputRange.end >= Number.MAX_SAFE_INTEGER
        ? 'the input range has no end'
        : undefined;
    },
    run(setting) {
      const domain = setting.attached();
      const { unit } = setting;
      const { start, end } = setting.inputRange;
      const behind = Math.floor((end + 1) / unit) * unit;
      expect(setting.map(domain, behind, behind + unit - 1)).not.toBe('OK');
      expect(setting.map(domain, behind - unit, behind + unit - 1)).not.toBe('OK');
      expect(setting.map(domain, 2n ** 63n, 2n ** 63n + BigInt(unit) - 1n)).not.toBe('OK');
      if (start >= unit) {
        const before = Math.floor(start / unit) * unit - unit;
        expect(setting.map(domain, before, before + unit - 1)).not.toBe('OK');
      }
      expect(setting.map(domain, behind - unit, behind - 1), 'the last page').toBe('OK');
      expect(setting.mapPages(domain, 0), 'the first page').toBe('OK');
    },
  },
  {
    name: 'MAP whose virt_end is 2^64 - 1 is carried out or fails',
    section: MAP,
    level: 'ours',
    says: 'The last address is one as any other: within `input_range` it is mapped, else the request fails.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const domain = setting.attached();
      const start = LAST_ADDRESS + 1n - BigInt(setting.unit);
      const status = setting.map(domain, start, LAST_ADDRESS);
      const isInside = setting.inputRange.end >= Number.MAX_SAFE_INTEGER;
      expect(status === 'OK').toBe(isInside);
      // All addresses: the size has 65 bits.
      expect(['OK', 'RANGE', 'INVAL', 'UNSUPP', 'NOMEM']).toContain(
        setting.map(domain, 0, LAST_ADDRESS, 0),
      );
      expect(setting.unmap(domain, 0, LAST_ADDRESS)).toBe('OK');
      expect(setting.mappedPages(domain)).toEqual([]);
    },
  },
  {
    name: 'MAP whose virt_end is before virt_start fails',
    section: MAP,
    level: 'ours',
    says: 'A range that ends before it starts is none; no status is named.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const domain = setting.attached();
      expect(setting.map(domain, setting.start(5), setting.end(3))).not.toBe('OK');
      expect(setting.map(domain, setting.start(1), setting.end(0))).not.toBe('OK');
      expect(setting.mappedPages(domain)).toEqual([]);
    },
  },
  {
    name: 'MAP to physical addresses beyond 2^64 fails (crosvm: test_mapping_info)',
    section: MAP,
    level: 'ours',
    says: 'phys_start and what follows it are addresses; a mapping that runs over their end fails.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const domain = setting.attached();
      const last = LAST_ADDRESS + 1n - BigInt(setting.unit);
      expect(setting.map(domain, setting.start(0), setting.end(1), last)).not.toBe('OK');
    },
  },
  {
    name: 'MAP over a region of RESV_MEM is refused',
    section: 'Property RESV_MEM',
    level: 'SHOULD',
    says: 'A MAP that overlaps a reserved region of an endpoint of the domain is rejected; no status is named.',
    needs: (setting) => {
      const missing = all(feature('MAP_UNMAP'), feature('PROBE'))(setting);
      if (missing !== undefined) return missing;
      return setting.reservedRegions(setting.endpoint).length === 0
        ? 'the endpoint has no reserved region'
        : undefined;
    },
    run(setting) {
      const domain = setting.attached();
      const unit = BigInt(setting.unit);
      for (const { start, end } of setting.reservedRegions(setting.endpoint)) {
        const [first, last] = [(start / unit) * unit, (end / unit + 1n) * unit - 1n];
        for (const range of [
          [first, last],
          [first, first + unit - 1n],
          [last + 1n - unit, last],
          [first - unit, first + unit - 1n],
        ] as const) {
          expect(setting.map(domain, ...range), `MAP of ${range}`).not.toBe('OK');
        }
        expect(setting.map(domain, last + 1n, last + unit), 'behind the region').toBe('OK');
      }
    },
  },
  {
    name: 'MAP of more than the device has room for is NOMEM',
    section: 'Device operations',
    level: 'ours',
    says: 'A device with a limit says NOMEM, keeps what it has, and has room again after an UNMAP.',
    needs: all(feature('MAP_UNMAP'), ({ device }) =>
      device.maxMappings === undefined ? 'the adapter names no limit of mappings' : undefined,
    ),
    run(setting) {
      const domain = setting.attached();
      const most = setting.device.maxMappings!;
      const map = (page: number) => setting.map(domain, setting.start(page), setting.end(page));
      for (let page = 0; page < most; page += 1) expect(map(page), `MAP ${page}`).toBe('OK');
      expect(map(most)).toBe('NOMEM');
      expect(map(0), 'MAP over the first').toBe('INVAL');
      expect(setting.unmapPages(domain, 0)).toBe('OK');
      expect(map(most)).toBe('OK');
      expect(map(most + 1)).toBe('NOMEM');
    },
  },
  {
    name: 'MAP that fails changes nothing',
    section: MAP,
    level: 'ours',
    says: 'A request that is refused leaves the mappings as they were.',
    needs: all(feature('MAP_UNMAP'), dma),
    run(setting) {
      const domain = setting.attached();
      expect(setting.mapPages(domain, 4, 5, 8)).toBe('OK');
      expect(setting.mapPages(domain, 5, 7, 1)).toBe('INVAL');
      expect(setting.mapPages(domain, 2, 4, 1, WRITE)).toBe('INVAL');
      setting.expectReached(setting.start(5), 9 * setting.unit);
      setting.expectRefused(setting.start(6));
      setting.expectRefused(setting.start(2));
    },
  },
  {
    name: 'what is mapped without WRITE cannot be written to',
    section: MAP,
    level: 'MUST',
    says: 'Without VIRTIO_IOMMU_MAP_F_WRITE no write reaches the memory.',
    needs: all(feature('MAP_UNMAP'), dma),
    run(setting) {
      const domain = setting.attached();
      expect(setting.mapPages(domain, 3, 3, 3, READ)).toBe('OK');
      expect(setting.mapPages(domain, 4, 4, 4, WRITE)).toBe('OK');
      expect(setting.mapPages(domain, 5, 5, 5, 0)).toBe('OK');
      setting.expectRefused(setting.start(3));
      setting.expectReached(setting.start(4), 4 * setting.unit);
      setting.expectRefused(setting.start(5));
      // Over the boundary: what may be written, but not what may not.
      const { allowed, at } = setting.written(setting.end(4), 2);
      expect(allowed, 'a write that goes on where it may not').toBe(false);
      for (const [offset, length] of at)
        expect(offset + length).toBeLessThanOrEqual(5 * setting.unit);
    },
  },
  {
    name: 'what is mapped with READ can be read, what is mapped with no flag cannot',
    section: MAP,
    level: 'described',
    says: 'VIRTIO_IOMMU_MAP_F_READ allows reads.',
    needs: all(feature('MAP_UNMAP'), dmaRead),
    run(setting) {
      const domain = setting.attached();
      expect(setting.mapPages(domain, 3, 3, 3, READ)).toBe('OK');
      expect(setting.mapPages(domain, 4, 4, 4, 0)).toBe('OK');
      setting.bytes.fill(setting.phys(3), setting.unit, 33);
      expect(setting.dma.read!(setting.endpoint, setting.start(3), 1)).toEqual(Uint8Array.of(33));
      expect(setting.dma.read!(setting.endpoint, setting.start(4), 1)).toBeUndefined();
    },
  },
  {
    name: 'an endpoint reaches nothing that is not mapped',
    section: 'Device operations',
    level: 'SHOULD',
    says: 'An endpoint in a domain reaches what is mapped there; one in none reaches nothing, unless it bypasses.',
    needs: all(feature('MAP_UNMAP'), blocking),
    run(setting) {
      setting.bypass = 0;
      setting.expectRefused(setting.start(1));
      setting.expectRefused(setting.phys(0));
      const domain = setting.attached();
      setting.expectRefused(setting.phys(0));
      expect(setting.mapPages(domain, 1, 1, 6)).toBe('OK');
      setting.expectReached(setting.start(1), 6 * setting.unit);
      setting.expectRefused(setting.phys(0));
      setting.expectRefused(setting.start(1), 1, setting.other);
    },
  },
];
