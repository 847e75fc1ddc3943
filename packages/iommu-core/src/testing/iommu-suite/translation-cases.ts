/** Cases of iommuSuite that crosvm and cloud-hypervisor have as tests of their mappers, as far as they show outside. */
import { expect } from 'vitest';
import { all, dma, dmaRead, feature, type IommuCase } from './iommu-case.ts';

export const translationCases: readonly IommuCase[] = [
  {
    name: 'test_map_unmap (crosvm)',
    section: 'UNMAP request',
    level: 'described',
    says: 'A translation is right at the first and the last byte of a mapping, and there is none one byte beyond.',
    needs: all(feature('MAP_UNMAP'), dma),
    run(setting) {
      const domain = setting.attached();
      expect(setting.mapPages(domain, 4, 8, 2)).toBe('OK');
      const { unit } = setting;
      setting.expectReached(setting.start(4), 2 * unit);
      setting.expectReached(setting.end(8), 7 * unit - 1);
      setting.expectRefused(setting.start(4) - 1);
      setting.expectRefused(setting.end(8) + 1);
      expect(setting.unmapPages(domain, 4, 8)).toBe('OK');
      setting.expectRefused(setting.start(4));
      setting.expectRefused(setting.end(8));
    },
  },
  {
    name: 'test_map_overlap (crosvm)',
    section: 'MAP request',
    level: 'SHOULD',
    says: 'A MAP that overlaps a mapping is INVAL and changes nothing: inside, over either end, around it, the same.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const domain = setting.attached();
      expect(setting.mapPages(domain, 5, 9)).toBe('OK');
      for (const [first, last] of [
        [6, 8],
        [5, 9],
        [3, 5],
        [9, 11],
        [3, 12],
        [5, 5],
        [9, 9],
      ] as const) {
        expect(setting.mapPages(domain, first, last), `MAP of ${first} to ${last}`).toBe('INVAL');
      }
      expect(setting.mapPages(domain, 3, 4), 'MAP before it').toBe('OK');
      expect(setting.mapPages(domain, 10, 12), 'MAP behind it').toBe('OK');
      expect(setting.mappedPages(domain)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    },
  },
  {
    name: 'test_remove_map (crosvm)',
    section: 'UNMAP request',
    level: 'SHOULD',
    says: 'An UNMAP that overlaps a mapping in part leaves all, one over several removes all of them.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const domain = setting.attached();
      for (const first of [1, 4, 7]) expect(setting.mapPages(domain, first, first + 1)).toBe('OK');
      for (const [first, last] of [
        [2, 3],
        [0, 4],
        [2, 7],
        [5, 5],
      ] as const) {
        expect(setting.unmapPages(domain, first, last), `UNMAP of ${first} to ${last}`).toBe(
          'RANGE',
        );
        expect(setting.mappedPages(domain)).toEqual([1, 2, 4, 5, 7, 8]);
      }
      expect(setting.unmapPages(domain, 0, 5)).toBe('OK');
      expect(setting.mappedPages(domain)).toEqual([7, 8]);
    },
  },
  {
    name: 'test_translate_len (crosvm)',
    section: 'MAP request',
    level: 'described',
    says: 'An access of any length within mappings that adjoin reaches all of it, however they are cut.',
    needs: all(feature('MAP_UNMAP'), dma),
    run(setting) {
      const domain = setting.attached();
      const { unit } = setting;
      expect(setting.mapPages(domain, 0, 1)).toBe('OK');
      expect(setting.mapPages(domain, 2, 2)).toBe('OK');
      expect(setting.mapPages(domain, 3, 3)).toBe('OK');
      for (const length of [1, unit, unit + 1, 2 * unit, 3 * unit + 1, 4 * unit]) {
        if (length <= 4 * unit) setting.expectReached(setting.start(0), 0, length);
      }
    },
  },
  {
    name: 'translates inside one mapping (cloud-hypervisor)',
    section: 'MAP request',
    level: 'described',
    says: 'An address within a mapping becomes the physical one at the same distance from its start.',
    needs: all(feature('MAP_UNMAP'), dma),
    run(setting) {
      const domain = setting.attached();
      expect(setting.mapPages(domain, 8, 10, 1)).toBe('OK');
      const { unit } = setting;
      const offset = unit + (unit >> 1);
      setting.expectReached(setting.start(8) + offset, unit + offset, Math.max(1, unit >> 1));
    },
  },
  {
    name: 'lets a buffer span two mappings that adjoin (cloud-hypervisor)',
    section: 'MAP request',
    level: 'described',
    says: 'A buffer over two adjacent mappings of adjacent memory is reached as one.',
    needs: all(feature('MAP_UNMAP'), dma),
    run(setting) {
      const domain = setting.attached();
      expect(setting.mapPages(domain, 4, 4)).toBe('OK');
      expect(setting.mapPages(domain, 5, 5)).toBe('OK');
      const { unit } = setting;
      const offset = unit >> 1;
      setting.expectReached(setting.start(4) + offset, 4 * unit + offset, Math.max(2, unit));
    },
  },
  {
    name: 'sends a buffer over two mappings to where each leads (cloud-hypervisor)',
    section: 'MAP request',
    level: 'described',
    says: 'A buffer over two adjacent mappings of memory that is apart reaches both places, and nothing between.',
    needs: all(feature('MAP_UNMAP'), dma),
    run(setting) {
      const domain = setting.attached();
      expect(setting.mapPages(domain, 4, 4, 9)).toBe('OK');
      expect(setting.mapPages(domain, 5, 5, 2)).toBe('OK');
      const { unit } = setting;
      expect(setting.written(setting.start(4), 2 * unit)).toEqual({
        allowed: true,
        at: [
          [2 * unit, unit],
          [9 * unit, unit],
        ],
      });
    },
  },
  {
    name: 'refuses a buffer over a gap, and one that begins in none (cloud-hypervisor)',
    section: 'Fault reporting',
    level: 'described',
    says: 'An access that leaves the mappings is refused; no byte lands in the gap.',
    needs: all(feature('MAP_UNMAP'), dma),
    run(setting) {
      const domain = setting.attached();
      const { unit } = setting;
      expect(setting.mapPages(domain, 4, 4)).toBe('OK');
      expect(setting.mapPages(domain, 6, 6)).toBe('OK');
      const { allowed, at } = setting.written(setting.start(4), 3 * unit);
      expect(allowed, 'a write over a gap').toBe(false);
      for (const [offset, length] of at) {
        expect(offset + length <= 5 * unit || offset >= 6 * unit, 'a byte in the gap').toBe(true);
      }
      setting.expectRefused(setting.start(5), unit);
      setting.expectRefused(setting.start(12), unit);
    },
  },
  {
    name: 'reads by the same translations as it writes (cloud-hypervisor)',
    section: 'MAP request',
    level: 'described',
    says: 'A read is translated as a write is.',
    needs: all(feature('MAP_UNMAP'), dmaRead),
    run(setting) {
      const domain = setting.attached();
      const { unit, dma } = setting;
      expect(setting.mapPages(domain, 4, 4, 9)).toBe('OK');
      expect(setting.mapPages(domain, 5, 5, 2)).toBe('OK');
      setting.bytes.fill(setting.phys(0), 16 * unit, 1);
      setting.bytes.fill(setting.phys(9), unit, 90);
      setting.bytes.fill(setting.phys(2), unit, 20);
      const expected = [...new Array<number>(unit).fill(90), ...new Array<number>(unit).fill(20)];
      const read = dma.read!(setting.endpoint, setting.start(4), 2 * unit);
      expect([...(read ?? [])]).toEqual(expected);
      expect(dma.read!(setting.endpoint, setting.start(6), 1)).toBeUndefined();
    },
  },
];
