/** Cases of iommuSuite about PROBE, the configuration, bypass and resets. */
import { expect } from 'vitest';
import { all, blocking, feature, type IommuCase } from './iommu-case.ts';
import { BYPASS, parseProperties } from './wire.ts';

const PROBE = 'PROBE request';
const CONFIG = 'Device configuration layout';
const RESV_MEM = 1;
const MSI = 1;

export const deviceCases: readonly IommuCase[] = [
  {
    name: 'PROBE tells well-formed properties',
    section: 'PROBE properties',
    level: 'MUST',
    says: 'Each property has its length; reserved bits are 0; regions are ranges that do not overlap, one of MSI at most; the rest is 0.',
    needs: feature('PROBE'),
    run(setting) {
      for (const endpoint of setting.device.endpoints) {
        const { status, writable } = setting.probe(endpoint);
        expect(status).toBe('OK');
        const bytes = writable.subarray(0, setting.probeSize);
        const { list, end } = parseProperties(bytes);
        expect(end, 'properties are longer than probe_size').toBeLessThanOrEqual(bytes.length);
        expect(
          bytes.subarray(end).every((byte) => byte === 0),
          'the rest is zero',
        ).toBe(true);
        const regions = list.filter(({ type }) => type === RESV_MEM);
        for (const { typeReserved, length, reserved, subtype, start, end } of regions) {
          expect({ typeReserved, length, reserved }).toEqual({
            ...{ typeReserved: 0, length: 20, reserved: 0 },
          });
          expect([0, MSI], 'the subtype').toContain(subtype);
          expect(end >= start, 'a region that ends before it starts').toBe(true);
        }
        const sorted = [...regions].sort((a, b) => (a.start < b.start ? -1 : 1));
        for (const [index, { start }] of sorted.entries()) {
          expect(index === 0 || start > sorted[index - 1]!.end, 'regions overlap').toBe(true);
        }
        expect(regions.filter(({ subtype }) => subtype === MSI).length).toBeLessThanOrEqual(1);
      }
    },
  },
  {
    name: 'PROBE of an endpoint that does not exist is NOENT',
    section: PROBE,
    level: 'SHOULD',
    says: 'An endpoint that does not exist: NOENT.',
    needs: feature('PROBE'),
    run(setting) {
      expect(setting.probe(setting.device.absentEndpoint).status).toBe('NOENT');
    },
  },
  {
    name: 'PROBE ignores reserved',
    section: PROBE,
    level: 'MUST',
    says: '`reserved` is ignored.',
    needs: feature('PROBE'),
    run(setting) {
      const { writable } = setting.probe(setting.endpoint);
      const odd = setting.probe(setting.endpoint, setting.probeSize, { reserved: 0xff });
      expect([odd.status, ...odd.writable]).toEqual(['OK', ...writable]);
    },
  },
  {
    name: 'PROBE tells the same after ATTACH',
    section: PROBE,
    level: 'ours',
    says: 'What an endpoint is told to be does not change while it is attached.',
    needs: feature('PROBE'),
    run(setting) {
      const before = setting.probe(setting.endpoint);
      setting.attached();
      expect([...setting.probe(setting.endpoint).writable]).toEqual([...before.writable]);
    },
  },
  {
    name: 'PROBE with properties shorter than probe_size is INVAL, and none is written',
    section: PROBE,
    level: 'SHOULD',
    says: 'No property is written to a buffer that is smaller than `probe_size`; the status is INVAL.',
    needs: feature('PROBE'),
    run(setting) {
      const length = Math.floor(setting.probeSize / 2);
      const { status, writable } = setting.probe(setting.endpoint, length);
      expect(status).toBe('INVAL');
      const properties = [...writable.subarray(0, length)];
      expect(properties.filter((byte) => byte !== 0 && byte !== 0xee)).toEqual([]);
    },
  },
  {
    name: 'page_size_mask has a bit',
    section: CONFIG,
    level: 'MUST',
    says: '`page_size_mask` has one bit or more.',
    run(setting) {
      expect(setting.pageSizeMask).not.toBe(0n);
    },
  },
  {
    name: 'ranges of the configuration end where they start or behind',
    section: CONFIG,
    level: 'described',
    says: 'Ranges are inclusive.',
    run({ inputRange, domainRange }) {
      expect(inputRange.end).toBeGreaterThanOrEqual(inputRange.start);
      expect(domainRange.end).toBeGreaterThanOrEqual(domainRange.start);
    },
  },
  {
    name: 'bypass takes what the driver writes, 0 or 1',
    section: CONFIG,
    level: 'described',
    says: 'With VIRTIO_IOMMU_F_BYPASS_CONFIG the driver may write `bypass`.',
    needs: feature('BYPASS_CONFIG'),
    run(setting) {
      for (const value of [0, 1, 0, 1]) {
        setting.bypass = value;
        expect(setting.bypass).toBe(value);
      }
    },
  },
  {
    name: 'bypass is 0 or 1 whatever the driver writes',
    section: CONFIG,
    level: 'MUST',
    says: '`bypass` presents no other value than 0 and 1.',
    needs: feature('BYPASS_CONFIG'),
    run(setting) {
      for (const value of [2, 0x80, 0xff]) {
        setting.bypass = value;
        expect([0, 1]).toContain(setting.bypass);
      }
    },
  },
  {
    name: 'other fields of the configuration cannot be written',
    section: CONFIG,
    level: 'described',
    says: 'The driver writes `bypass` alone.',
    run(setting) {
      const { transport } = setting.device;
      const read = () =>
        Array.from({ length: 9 }, (_, index) => transport.readConfig(4 * index, 4));
      const before = read();
      for (let index = 0; index < 9; index += 1) transport.writeConfig(4 * index, 4, 0x5a5a_5a5a);
      expect(read()).toEqual(before);
      expect(setting.attach(setting.domain(1))).toBe('OK');
    },
  },
  {
    name: 'an endpoint in no domain bypasses when bypass is 1, and not when it is 0',
    section: CONFIG,
    level: 'SHOULD',
    says: '`bypass` says whether an endpoint that is in no domain reaches memory untranslated.',
    needs: blocking,
    run(setting) {
      setting.bypass = 1;
      setting.expectReached(setting.phys(2), 2 * setting.unit, setting.unit);
      setting.bypass = 0;
      setting.expectRefused(setting.phys(2));
      setting.bypass = 1;
      setting.expectReached(setting.phys(3), 3 * setting.unit);
    },
  },
  {
    name: 'an endpoint in a bypass domain reaches memory whatever bypass says',
    section: 'ATTACH request',
    level: 'described',
    says: 'In a domain with VIRTIO_IOMMU_ATTACH_F_BYPASS accesses are not translated.',
    needs: blocking,
    run(setting) {
      const domain = setting.domain(1);
      for (const bypass of [0, 1]) {
        setting.bypass = bypass;
        expect(setting.attach(domain, setting.endpoint, BYPASS)).toBe('OK');
        setting.expectReached(setting.phys(2), 2 * setting.unit);
        expect(setting.detach(domain)).toBe('OK');
      }
    },
  },
  {
    name: 'an endpoint in a domain is translated although bypass is 1',
    section: CONFIG,
    level: 'described',
    says: '`bypass` says nothing of endpoints that are in a domain.',
    needs: all(feature('MAP_UNMAP'), blocking),
    run(setting) {
      setting.bypass = 1;
      const domain = setting.attached();
      expect(setting.mapPages(domain, 1, 1, 7)).toBe('OK');
      setting.expectReached(setting.start(1), 7 * setting.unit);
      setting.expectRefused(setting.phys(0));
    },
  },
  {
    name: 'a reset takes all endpoints out of their domains',
    section: 'Device initialization',
    level: 'described',
    says: 'After a reset no endpoint is attached and no domain exists.',
    needs: feature('MAP_UNMAP'),
    run(setting) {
      const [first, second] = [setting.attached(1), setting.attached(2, setting.other)];
      for (const domain of [first, second]) expect(setting.mapPages(domain, 0, 3)).toBe('OK');
      setting.bringUp();
      for (const domain of [first, second]) {
        expect(setting.mapPages(domain, 4), 'MAP to a domain of before').toBe('NOENT');
      }
      setting.attached(1);
      expect(setting.mappedPages(first)).toEqual([]);
    },
  },
  {
    name: 'a reset leaves no mapping within reach',
    section: 'Device initialization',
    level: 'described',
    says: 'After a reset what was mapped is not reached any more.',
    needs: all(feature('MAP_UNMAP'), blocking),
    run(setting) {
      setting.bypass = 0;
      const domain = setting.attached();
      expect(setting.mapPages(domain, 2)).toBe('OK');
      setting.expectReached(setting.start(2), 2 * setting.unit);
      setting.device.transport.writeStatus(0);
      setting.expectRefused(setting.start(2));
      setting.bringUp();
      setting.expectRefused(setting.start(2));
    },
  },
  {
    name: 'a reset leaves bypass as it is',
    section: CONFIG,
    level: 'SHOULD',
    says: '`bypass` keeps its value over a device reset.',
    needs: feature('BYPASS_CONFIG'),
    run(setting) {
      for (const value of [0, 1, 0]) {
        setting.bypass = value;
        setting.bringUp();
        expect(setting.bypass).toBe(value);
      }
    },
  },
];
