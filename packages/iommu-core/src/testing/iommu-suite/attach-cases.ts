/** Cases of iommuSuite about ATTACH and DETACH. */
import { expect } from 'vitest';
import { all, blocking, dma, feature, type IommuCase } from './iommu-case.ts';
import { BYPASS, FEATURE } from './wire.ts';

const ATTACH = 'ATTACH request';
const DETACH = 'DETACH request';

export const attachCases: readonly IommuCase[] = [
  {
    name: 'ATTACH with reserved that is not 0 is INVAL',
    section: ATTACH,
    level: 'MUST',
    says: '`reserved` that is not 0: INVAL.',
    run(setting) {
      const domain = setting.domain(1);
      expect(setting.attach(domain, setting.endpoint, 0, { reserved: 1 })).toBe('INVAL');
      expect(setting.mapPages(domain, 0), 'MAP to the domain').toBe('NOENT');
    },
  },
  {
    name: 'ATTACH with a flag that is not known is INVAL',
    section: ATTACH,
    level: 'MUST',
    says: 'A flag that the device does not know: INVAL.',
    run(setting) {
      for (const flags of [2, 4, 0x100, 0x8000_0000, 0xffff_fffe]) {
        const status = setting.attach(setting.domain(1), setting.endpoint, flags);
        expect({ flags, status }).toEqual({ flags, status: 'INVAL' });
      }
    },
  },
  {
    name: 'ATTACH with the flag BYPASS is INVAL when its feature was not accepted',
    section: ATTACH,
    level: 'described',
    says: 'VIRTIO_IOMMU_ATTACH_F_BYPASS is there with VIRTIO_IOMMU_F_BYPASS_CONFIG alone.',
    run(setting) {
      setting.bringUp(FEATURE.BYPASS_CONFIG);
      expect(setting.attach(setting.domain(1), setting.endpoint, BYPASS)).toBe('INVAL');
    },
  },
  {
    name: 'ATTACH of an endpoint that does not exist is NOENT',
    section: ATTACH,
    level: 'MUST',
    says: 'An endpoint that does not exist: NOENT.',
    run(setting) {
      expect(setting.attach(setting.domain(1), setting.device.absentEndpoint)).toBe('NOENT');
    },
  },
  {
    name: 'ATTACH to a domain outside domain_range fails',
    section: 'Device configuration layout',
    level: 'described',
    says: '`domain_range` is what the device supports in `domain`; no status is named.',
    needs: ({ domainRange }) =>
      domainRange.start === 0 && domainRange.end === 0xffff_ffff
        ? 'each number is a domain'
        : undefined,
    run(setting) {
      const { start, end } = setting.domainRange;
      const outside = [start - 1, end + 1].filter((id) => id >= 0 && id <= 0xffff_ffff);
      for (const domain of outside) expect(setting.attach(domain)).not.toBe('OK');
      for (const domain of [start, end]) expect(setting.attach(domain)).toBe('OK');
    },
  },
  {
    name: 'ATTACH whose flag BYPASS contradicts the domain is INVAL',
    section: ATTACH,
    level: 'SHOULD',
    says: 'A domain is a bypass domain or not, as its first ATTACH said; another that says otherwise: INVAL.',
    needs: feature('BYPASS_CONFIG'),
    run(setting) {
      const [plain, bypass] = [setting.domain(1), setting.domain(2)];
      expect(setting.attach(plain)).toBe('OK');
      expect(setting.attach(plain, setting.other, BYPASS)).toBe('INVAL');
      expect(setting.attach(bypass, setting.other, BYPASS)).toBe('OK');
      expect(setting.attach(bypass, setting.endpoint)).toBe('INVAL');
    },
  },
  {
    name: 'ATTACH to another domain leaves the one before, which ends with its last endpoint',
    section: ATTACH,
    level: 'SHOULD',
    says: 'A move has the effect of a DETACH and an ATTACH.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const domain = setting.attached(1);
      expect(setting.mapPages(domain, 0)).toBe('OK');
      const next = setting.attached(2);
      expect(setting.mapPages(domain, 1), 'MAP to the domain before').toBe('NOENT');
      expect(setting.mappedPages(next)).toEqual([]);
      expect(setting.attach(domain)).toBe('OK');
      expect(setting.mappedPages(domain), 'mappings of the domain made anew').toEqual([]);
    },
  },
  {
    name: 'ATTACH to another domain leaves the one before to its other endpoints',
    section: ATTACH,
    level: 'SHOULD',
    says: 'A domain stays, with its mappings, while an endpoint is in it.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const domain = setting.attached(1);
      setting.attached(1, setting.other);
      expect(setting.mapPages(domain, 0)).toBe('OK');
      setting.attached(2);
      expect(setting.mappedPages(domain)).toEqual([0]);
    },
  },
  {
    name: 'ATTACH to the domain that the endpoint is in keeps the mappings',
    section: ATTACH,
    level: 'ours',
    says: 'ATTACH to where the endpoint is succeeds and changes nothing; the standard does not say.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const domain = setting.attached();
      expect(setting.mapPages(domain, 3)).toBe('OK');
      expect(setting.attach(domain)).toBe('OK');
      expect(setting.mappedPages(domain)).toEqual([3]);
    },
  },
  {
    name: 'ATTACH that fails leaves the endpoint where it was',
    section: ATTACH,
    level: 'ours',
    says: 'An ATTACH that is refused changes nothing; the standard does not say.',
    needs: all(feature('MAP_UNMAP'), feature('BYPASS_CONFIG')),
    run(setting) {
      const bypass = setting.domain(2);
      expect(setting.attach(bypass, setting.other, BYPASS)).toBe('OK');
      const domain = setting.attached(1);
      expect(setting.mapPages(domain, 3)).toBe('OK');
      expect(setting.attach(bypass)).toBe('INVAL');
      expect(setting.mapPages(domain, 3), 'MAP over what the endpoint had').toBe('INVAL');
      expect(setting.detach(domain), 'DETACH from where it was').toBe('OK');
    },
  },
  {
    name: 'endpoints of a domain see the same mappings',
    section: ATTACH,
    level: 'SHOULD',
    says: 'Several endpoints can be in one domain; what is mapped before and after they come holds for each.',
    needs: all(feature('MAP_UNMAP'), dma),
    run(setting) {
      const domain = setting.attached();
      expect(setting.mapPages(domain, 1)).toBe('OK');
      setting.attached(1, setting.other);
      expect(setting.mapPages(domain, 3)).toBe('OK');
      for (const endpoint of setting.device.endpoints) {
        setting.expectReached(setting.start(1), setting.unit, 1, endpoint);
        setting.expectReached(setting.start(3), 3 * setting.unit, 1, endpoint);
      }
    },
  },
  {
    name: 'an endpoint that moves sees the mappings of its new domain alone',
    section: ATTACH,
    level: 'MUST',
    says: 'After S_OK the endpoint is attached to the domain.',
    needs: all(feature('MAP_UNMAP'), dma),
    run(setting) {
      const [first, second] = [setting.attached(1, setting.other), setting.attached(2)];
      expect(setting.mapPages(first, 1, 1, 4)).toBe('OK');
      expect(setting.mapPages(second, 2, 2, 5)).toBe('OK');
      setting.expectReached(setting.start(2), 5 * setting.unit);
      setting.attached(1);
      setting.expectReached(setting.start(1), 4 * setting.unit);
      setting.expectRefused(setting.start(2));
    },
  },
  {
    name: 'DETACH ignores reserved',
    section: DETACH,
    level: 'MUST',
    says: '`reserved` is ignored.',
    run(setting) {
      const domain = setting.attached();
      expect(setting.detach(domain, setting.endpoint, { reserved: 0xff })).toBe('OK');
    },
  },
  {
    name: 'DETACH of an endpoint that does not exist is NOENT',
    section: DETACH,
    level: 'MUST',
    says: 'An endpoint that does not exist: NOENT.',
    run(setting) {
      const domain = setting.attached();
      expect(setting.detach(domain, setting.device.absentEndpoint)).toBe('NOENT');
    },
  },
  {
    name: 'DETACH from a domain that the endpoint is not in leaves it in its own',
    section: DETACH,
    level: 'ours',
    says: 'The device may say INVAL; whatever it says, the endpoint stays where it is.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const domain = setting.attached(1);
      setting.attached(2, setting.other);
      expect(setting.mapPages(domain, 3)).toBe('OK');
      setting.detach(setting.domain(2));
      setting.detach(setting.domain(3));
      expect(setting.mappedPages(domain)).toEqual([3]);
      expect(setting.detach(domain)).toBe('OK');
    },
  },
  {
    name: 'DETACH of the last endpoint ends the domain and its mappings',
    section: DETACH,
    level: 'described',
    says: 'A domain without endpoints is no more.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const domain = setting.attached();
      expect(setting.mapPages(domain, 0, 3)).toBe('OK');
      expect(setting.detach(domain)).toBe('OK');
      expect(setting.unmapPages(domain, 0, 3), 'UNMAP from it').toBe('NOENT');
      setting.attached();
      expect(setting.mappedPages(domain)).toEqual([]);
    },
  },
  {
    name: 'after DETACH no mapping is within reach of the endpoint',
    section: DETACH,
    level: 'MUST',
    says: 'After DETACH the endpoint cannot access any mapping of the domain.',
    needs: all(feature('MAP_UNMAP'), blocking),
    run(setting) {
      setting.bypass = 0;
      const domain = setting.attached();
      setting.attached(1, setting.other);
      expect(setting.mapPages(domain, 2)).toBe('OK');
      setting.expectReached(setting.start(2), 2 * setting.unit);
      expect(setting.detach(domain)).toBe('OK');
      setting.expectRefused(setting.start(2));
      setting.expectReached(setting.start(2), 2 * setting.unit, 1, setting.other);
    },
  },
];
