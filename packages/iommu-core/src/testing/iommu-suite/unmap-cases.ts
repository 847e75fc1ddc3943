/** Cases of iommuSuite about UNMAP. */
import { expect } from 'vitest';
import { all, dma, feature, type IommuCase } from './iommu-case.ts';
import { BYPASS, LAST_ADDRESS } from './wire.ts';

const UNMAP = 'UNMAP request';

export const unmapCases: readonly IommuCase[] = [
  {
    name: 'UNMAP from a domain that does not exist is NOENT',
    section: UNMAP,
    level: 'SHOULD',
    says: 'A domain that does not exist: NOENT.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      setting.attached(1);
      expect(setting.unmapPages(setting.domain(2), 0)).toBe('NOENT');
    },
  },
  {
    name: 'UNMAP from a bypass domain is INVAL',
    section: UNMAP,
    level: 'SHOULD',
    says: 'A bypass domain: INVAL.',
    needs: all(feature('MAP_UNMAP'), feature('BYPASS_CONFIG')),
    run(setting) {
      const domain = setting.domain(1);
      expect(setting.attach(domain, setting.endpoint, BYPASS)).toBe('OK');
      expect(setting.unmapPages(domain, 0)).toBe('INVAL');
    },
  },
  {
    name: 'UNMAP with reserved that is not 0 is refused or carried out, and not by half',
    section: UNMAP,
    level: 'MAY',
    says: 'With `reserved` that is not 0 the device may say INVAL, whether or not it does as it is told.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const domain = setting.attached();
      expect(setting.mapPages(domain, 2, 3)).toBe('OK');
      const odd = { reserved: 0xff };
      const status = setting.unmap(domain, setting.start(2), setting.end(3), odd);
      expect(['OK', 'INVAL']).toContain(status);
      const left = setting.mappedPages(domain);
      if (status === 'OK') expect(left).toEqual([]);
      else expect([[], [2, 3]]).toContainEqual(left);
    },
  },
  {
    name: 'UNMAP of what is not mapped is OK',
    section: UNMAP,
    level: 'SHOULD',
    says: 'A range with holes, or with nothing in it: what is there is removed, and the status is OK.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const domain = setting.attached();
      expect(setting.unmapPages(domain, 0, 15)).toBe('OK');
      for (const page of [2, 5, 6, 11]) expect(setting.mapPages(domain, page)).toBe('OK');
      expect(setting.unmapPages(domain, 3, 4)).toBe('OK');
      expect(setting.unmapPages(domain, 1, 8)).toBe('OK');
      expect(setting.mappedPages(domain)).toEqual([11]);
    },
  },
  {
    name: 'UNMAP that would split the last of many mappings is RANGE and removes none',
    section: UNMAP,
    level: 'SHOULD',
    says: 'A range that does not cover a mapping in its entirety: RANGE, and no mapping is removed.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const domain = setting.attached();
      for (const first of [0, 2, 4, 6, 8, 10]) {
        expect(setting.mapPages(domain, first, first + 1)).toBe('OK');
      }
      expect(setting.mapPages(domain, 12, 15)).toBe('OK');
      const pages = Array.from({ length: 16 }, (_, page) => page);
      expect(setting.unmapPages(domain, 0, 14), 'UNMAP that splits the last').toBe('RANGE');
      expect(setting.mappedPages(domain), 'what is left').toEqual(pages);
      expect(setting.unmapPages(domain, 1, 15), 'UNMAP that splits the first').toBe('RANGE');
      expect(setting.mappedPages(domain), 'what is left').toEqual(pages);
      expect(setting.unmapPages(domain, 0, 15)).toBe('OK');
      expect(setting.mappedPages(domain)).toEqual([]);
    },
  },
  {
    name: 'UNMAP to 2^64 - 1 removes all',
    section: UNMAP,
    level: 'ours',
    says: 'The range may go beyond what can be mapped, to the last address.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const domain = setting.attached();
      for (const page of [0, 7, 15]) expect(setting.mapPages(domain, page)).toBe('OK');
      expect(setting.unmap(domain, 0, LAST_ADDRESS)).toBe('OK');
      expect(setting.mappedPages(domain)).toEqual([]);
      expect(setting.mapPages(domain, 3)).toBe('OK');
      expect(setting.unmap(domain, setting.start(3), LAST_ADDRESS)).toBe('OK');
      expect(setting.mappedPages(domain)).toEqual([]);
    },
  },
  {
    name: 'UNMAP whose virt_end is before virt_start removes nothing',
    section: UNMAP,
    level: 'ours',
    says: 'A range that ends before it starts is none; no status is named.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const domain = setting.attached();
      expect(setting.mapPages(domain, 2, 5)).toBe('OK');
      setting.unmap(domain, setting.start(8), setting.end(1));
      setting.unmap(domain, setting.start(5), setting.end(2));
      setting.unmap(domain, LAST_ADDRESS, 0);
      expect(setting.mappedPages(domain)).toEqual([2, 3, 4, 5]);
    },
  },
  {
    name: 'UNMAP takes effect before its answer',
    section: UNMAP,
    level: 'described',
    says: 'When an UNMAP has its answer no access reaches what it removed, and all else is reached as before.',
    needs: all(feature('MAP_UNMAP'), dma),
    run(setting) {
      const domain = setting.attached();
      setting.attached(1, setting.other);
      const { unit } = setting;
      for (const page of [2, 3, 4]) expect(setting.mapPages(domain, page)).toBe('OK');
      setting.expectReached(setting.start(2), 2 * unit, 3 * unit);
      expect(setting.unmapPages(domain, 3)).toBe('OK');
      for (const endpoint of setting.device.endpoints) {
        setting.expectRefused(setting.start(3), 1, endpoint);
        setting.expectReached(setting.start(2), 2 * unit, unit, endpoint);
        setting.expectReached(setting.start(4), 4 * unit, unit, endpoint);
      }
      expect(setting.mapPages(domain, 3, 3, 9), 'MAP of the same to elsewhere').toBe('OK');
      setting.expectReached(setting.start(3), 9 * unit);
    },
  },
  {
    name: 'UNMAP in one domain leaves the others',
    section: UNMAP,
    level: 'described',
    says: 'Domains have mappings of their own.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const [first, second] = [setting.attached(1), setting.attached(2, setting.other)];
      for (const domain of [first, second]) expect(setting.mapPages(domain, 3, 6)).toBe('OK');
      expect(setting.unmapPages(first, 0, 15)).toBe('OK');
      expect([setting.mappedPages(first), setting.mappedPages(second)]).toEqual([[], [3, 4, 5, 6]]);
    },
  },
];
