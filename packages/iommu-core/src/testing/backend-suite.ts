/** backendSuite: what every TranslationBackend must do; each implementation runs it in its own tests. */
import { silentLogger } from '@viommu/virtqueue';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BackendFactory } from '../backend.ts';
import { DrivenBackend } from './driven-backend.ts';

const READ = 1;
const WRITE = 2;
const OK = 0;
const NO_DOMAIN = 1;
const NO_MAPPING = 2;

/**
 * @param factory a backend with a granule of 4 KiB or finer, an `inputEnd` of 2^32 - 1 or more, and room for 4 domains
 * and 1000 mappings; endpoints are 1, 2 and 3
 */
export function backendSuite(name: string, factory: BackendFactory): void {
  describe(`TranslationBackend: ${name}`, () => {
    let backend: DrivenBackend;
    const out = { physical: -1, length: -1, bypass: false };

    beforeEach(() => {
      backend = new DrivenBackend(factory({ logger: silentLogger }));
      backend.setBypass(false);
      for (const endpoint of [1, 2, 3]) backend.addEndpoint(endpoint);
    });

    const attached = (endpoint: number, domain: number) => {
      expect(backend.createDomain(domain, false)).toBe(OK);
      expect(backend.attach(endpoint, domain)).toBe(OK);
    };
    const translate = (endpoint: number, address: number, length = 1, access = READ) =>
      backend.translate(endpoint, address, length, access, out);

    it('says what it can do', () => {
      const { pageSizeMask, inputEnd } = backend.capabilities;
      expect(pageSizeMask & 0x1fffn).not.toBe(0n);
      expect(inputEnd).toBeGreaterThanOrEqual(0xffff_ffff);
      expect(inputEnd).toBeLessThan(2 ** 52);
    });

    it('refuses an endpoint in no domain unless bypass is on', () => {
      expect(translate(1, 0x5000)).toBe(NO_DOMAIN);
      backend.setBypass(true);
      expect(translate(1, 0x5678, 100)).toBe(OK);
      expect(out).toEqual({ physical: 0x5678, length: 100, bypass: true });
      backend.setBypass(false);
      expect(translate(1, 0x5000)).toBe(NO_DOMAIN);
    });

    it('translates by virt_start and phys_start, up to the end of the mapping', () => {
      attached(1, 7);
      expect(backend.map(7, 0x10000, 0x12fff, 0x7ff000, READ | WRITE)).toBe(OK);
      expect(translate(1, 0x10000, 0x10000)).toBe(OK);
      expect(out).toEqual({ physical: 0x7ff000, length: 0x3000, bypass: false });
      expect(translate(1, 0x11abc, 4)).toBe(OK);
      expect(out).toEqual({ physical: 0x800abc, length: 4, bypass: false });
      expect(translate(1, 0x12fff, 2)).toBe(OK);
      expect(out).toEqual({ physical: 0x801fff, length: 1, bypass: false });
    });

    it('is exact to the byte at both ends of a mapping', () => {
      attached(1, 7);
      backend.map(7, 0x10000, 0x10fff, 0x50000, READ);
      expect(translate(1, 0xffff)).toBe(NO_MAPPING);
      expect(translate(1, 0x10000)).toBe(OK);
      expect(translate(1, 0x10fff)).toBe(OK);
      expect(translate(1, 0x11000)).toBe(NO_MAPPING);
    });

    it.each([
      [0, NO_MAPPING, NO_MAPPING, NO_MAPPING],
      [READ, OK, NO_MAPPING, NO_MAPPING],
      [READ | WRITE, OK, OK, OK],
      [READ | WRITE | 4, OK, OK, OK],
    ])('allows what flags %i allow', (flags, read, write, both) => {
      attached(1, 7);
      backend.map(7, 0x10000, 0x10fff, 0x50000, flags);
      expect(translate(1, 0x10000, 1, READ)).toBe(read);
      expect(translate(1, 0x10000, 1, WRITE)).toBe(write);
      expect(translate(1, 0x10000, 1, READ | WRITE)).toBe(both);
    });

    it('never allows a write without the WRITE flag beside a mapping that has it', () => {
      attached(1, 7);
      backend.map(7, 0x10000, 0x10fff, 0x50000, WRITE);
      backend.map(7, 0x11000, 0x11fff, 0x51000, READ);
      expect(translate(1, 0x10fff, 2, WRITE)).toBe(OK);
      expect(out.length).toBe(1);
      expect(translate(1, 0x11000, 1, WRITE)).toBe(NO_MAPPING);
    });

    it('leaves the result alone on a refusal', () => {
      attached(1, 7);
      Object.assign(out, { physical: 11, length: 12, bypass: true });
      translate(1, 0x10000);
      expect(out).toEqual({ physical: 11, length: 12, bypass: true });
    });

    it('shows one domain to all of its endpoints and to no other', () => {
      attached(1, 7);
      attached(3, 8);
      backend.map(7, 0x10000, 0x10fff, 0x50000, READ);
      expect(backend.attach(2, 7)).toBe(OK);
      backend.map(7, 0x20000, 0x20fff, 0x60000, READ);
      for (const endpoint of [1, 2]) {
        expect(translate(endpoint, 0x10000)).toBe(OK);
        expect(translate(endpoint, 0x20000)).toBe(OK);
      }
      expect(translate(3, 0x10000)).toBe(NO_MAPPING);
    });

    it('moves an endpoint in one step', () => {
      attached(1, 7);
      backend.map(7, 0x10000, 0x10fff, 0x50000, READ);
      attached(1, 8);
      backend.destroyDomain(7);
      expect(translate(1, 0x10000)).toBe(NO_MAPPING);
      backend.map(8, 0x10000, 0x10fff, 0x90000, READ);
      expect(translate(1, 0x10000)).toBe(OK);
      expect(out.physical).toBe(0x90000);
    });

    it('forgets an endpoint that is detached, and a domain that is destroyed', () => {
      attached(1, 7);
      backend.map(7, 0x10000, 0x10fff, 0x50000, READ);
      backend.detach(1);
      backend.detach(2);
      expect(translate(1, 0x10000)).toBe(NO_DOMAIN);
      backend.destroyDomain(7);
      attached(1, 7);
      expect(translate(1, 0x10000)).toBe(NO_MAPPING);
    });

    it('lets a bypass domain go by whatever the setting', () => {
      expect(backend.createDomain(9, true)).toBe(OK);
      expect(backend.attach(1, 9)).toBe(OK);
      expect(translate(1, 0xdead_beef, 16, READ | WRITE)).toBe(OK);
      expect(out).toEqual({ physical: 0xdead_beef, length: 16, bypass: true });
    });

    it('removes all mappings in a range and none beside it', () => {
      attached(1, 7);
      for (const start of [0x10000, 0x11000, 0x20000, 0x30000]) {
        backend.map(7, start, start + 0xfff, start + 0x100000, READ);
      }
      expect(backend.unmap(7, 0x11000, 0x20fff)).toBe(OK);
      expect(translate(1, 0x10fff)).toBe(OK);
      expect(translate(1, 0x11000)).toBe(NO_MAPPING);
      expect(translate(1, 0x20000)).toBe(NO_MAPPING);
      expect(translate(1, 0x30000)).toBe(OK);
      expect(backend.unmap(7, 0x100000, 0x1fffff)).toBe(OK);
      expect(translate(1, 0x30000)).toBe(OK);
    });

    it('maps all that it can address, wherever it is mapped to', () => {
      const { inputEnd } = backend.capabilities;
      attached(1, 7);
      expect(backend.map(7, 0, inputEnd, 0, READ)).toBe(OK);
      expect(translate(1, inputEnd, 100)).toBe(OK);
      expect(out).toEqual({ physical: inputEnd, length: 1, bypass: false });
      expect(translate(1, inputEnd + 1)).toBe(NO_MAPPING);
      backend.unmap(7, 0, inputEnd);
      expect(translate(1, 0x1000)).toBe(NO_MAPPING);
    });

    it('maps large ranges at addresses aligned to the granule only', () => {
      attached(1, 7);
      expect(backend.map(7, 0x1000, 0x4000_5fff, 0x12_3456_7000, READ)).toBe(OK);
      expect(translate(1, 0x2012_3456, 8)).toBe(OK);
      expect(out.physical).toBe(0x2012_3456 - 0x1000 + 0x12_3456_7000);
      expect(translate(1, 0xfff)).toBe(NO_MAPPING);
      expect(translate(1, 0x4000_5fff)).toBe(OK);
      expect(translate(1, 0x4000_6000)).toBe(NO_MAPPING);
    });

    it('lets an endpoint that was removed reach nothing, and others what they did', () => {
      attached(1, 7);
      backend.attach(2, 7);
      backend.map(7, 0x10000, 0x10fff, 0x50000, READ);
      backend.removeEndpoint(1);
      expect(translate(1, 0x10000)).toBe(NO_DOMAIN);
      expect(translate(2, 0x10000)).toBe(OK);
      backend.removeEndpoint(3);
      backend.setBypass(true);
      expect(translate(1, 0x10000)).toBe(NO_DOMAIN);
      expect(translate(3, 0x10000)).toBe(NO_DOMAIN);
      backend.removeEndpoint(2);
      backend.destroyDomain(7);
      expect(translate(2, 0x10000)).toBe(NO_DOMAIN);
    });

    it('knows nothing of an endpoint that had the same ID before', () => {
      attached(1, 7);
      backend.map(7, 0x10000, 0x10fff, 0x50000, READ);
      backend.attach(2, 7);
      backend.removeEndpoint(1);
      backend.addEndpoint(1);
      expect(translate(1, 0x10000)).toBe(NO_DOMAIN);
      backend.setBypass(true);
      expect(translate(1, 0x10000)).toBe(OK);
      expect(out).toEqual({ physical: 0x10000, length: 1, bypass: true });
      expect(backend.attach(1, 7)).toBe(OK);
      expect(translate(1, 0x10000)).toBe(OK);
      expect(out.physical).toBe(0x50000);
    });

    it('takes an endpoint while bypass is on', () => {
      backend.removeEndpoint(3);
      backend.setBypass(true);
      backend.addEndpoint(3);
      expect(translate(3, 0x5678, 100)).toBe(OK);
      expect(out).toEqual({ physical: 0x5678, length: 100, bypass: true });
      attached(3, 7);
      expect(translate(3, 0x5678)).toBe(NO_MAPPING);
    });

    it('answers any address without throwing', () => {
      attached(1, 7);
      for (const address of [0, 2 ** 32, 2 ** 48, 2 ** 52, Number.MAX_SAFE_INTEGER]) {
        expect(translate(1, address, 2 ** 32)).toBe(NO_MAPPING);
        expect(translate(2, address)).toBe(NO_DOMAIN);
      }
    });

    it('keeps many mappings apart, whatever the order of making and removing', () => {
      attached(1, 7);
      const place = (index: number) => ((index * 617) % 1000) * 0x3000;
      for (let index = 0; index < 1000; index++) {
        const start = place(index);
        expect(backend.map(7, start, start + 0x1fff, index * 0x10000, READ)).toBe(OK);
      }
      for (let index = 0; index < 1000; index += 2) {
        expect(backend.unmap(7, place(index), place(index) + 0x1fff)).toBe(OK);
      }
      for (let index = 0; index < 1000; index++) {
        const code = translate(1, place(index) + 0x1000, 0x2000);
        expect(code).toBe(index % 2 === 0 ? NO_MAPPING : OK);
        if (code === OK) {
          expect(out).toEqual({
            physical: index * 0x10000 + 0x1000,
            length: 0x1000,
            bypass: false,
          });
        }
      }
    });
  });
}
