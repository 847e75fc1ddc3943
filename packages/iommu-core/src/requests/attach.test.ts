import { describe, expect, it } from 'vitest';
import { NaiveBackend } from '../testing/naive-backend.ts';
import { le32 } from '../testing/request-driver.ts';
import { createTestDevice } from '../testing/test-device.ts';

const OK = 0;
const UNSUPP = 2;
const DEVERR = 3;
const INVAL = 4;
const RANGE = 5;
const NOENT = 6;
const NOMEM = 8;
const BYPASS = 1;

describe('ATTACH', () => {
  it('is read from its bytes: domain at 4, endpoint at 8, flags at 12, reserved at 16', () => {
    const { driver, backend } = createTestDevice();
    const request = [1, 0, 0, 0, 0x44, 0x33, 0x22, 0x11, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const answer = driver.send(request);
    expect(answer.used).toBe(4);
    expect([...answer.writable]).toEqual([0, 0, 0, 0]);
    expect(backend.attached.get(8)).toBe(0x11223344);
  });

  it('is refused when reserved is not zero', () => {
    const { driver, backend } = createTestDevice();
    for (const reserved of [0, 1, 2, 3]) {
      const bytes = [1, 0, 0, 0, ...le32(1), ...le32(8), ...le32(0), 0, 0, 0, 0];
      bytes[16 + reserved] = 0x80;
      expect(driver.send(bytes).status).toBe(INVAL);
    }
    expect(backend.attached.size).toBe(0);
  });

  it('ignores reserved in the head', () => {
    const { driver } = createTestDevice();
    const bytes = [1, 0xff, 0xff, 0xff, ...le32(1), ...le32(8), ...le32(0), 0, 0, 0, 0];
    expect(driver.send(bytes).status).toBe(OK);
  });

  it('is refused for flags that are not recognized', () => {
    const { driver } = createTestDevice();
    expect(driver.attach(1, 8, 2)).toBe(INVAL);
    expect(driver.attach(1, 8, 0x8000_0000)).toBe(INVAL);
    expect(driver.attach(1, 8, BYPASS | 4)).toBe(INVAL);
  });

  it('does not know BYPASS unless BYPASS_CONFIG was negotiated', () => {
    const { driver } = createTestDevice({}, 0x1_0000_0037n);
    expect(driver.attach(1, 8, BYPASS)).toBe(INVAL);
    expect(driver.attach(1, 8)).toBe(OK);
  });

  it('is refused for an endpoint that does not exist', () => {
    const { driver, backend } = createTestDevice();
    expect(driver.attach(1, 444)).toBe(NOENT);
    expect(backend.domains.size).toBe(0);
  });

  it('is refused for a domain outside domain_range', () => {
    const { driver } = createTestDevice({ domainRange: { start: 2, end: 5 } });
    expect(driver.attach(1, 8)).toBe(RANGE);
    expect(driver.attach(6, 8)).toBe(RANGE);
    expect(driver.attach(2, 8)).toBe(OK);
    expect(driver.attach(5, 9)).toBe(OK);
  });

  it('takes every 32-bit domain by default', () => {
    const { driver } = createTestDevice();
    expect(driver.attach(0, 8)).toBe(OK);
    expect(driver.attach(0xffff_ffff, 9)).toBe(OK);
  });

  it('is refused when the BYPASS flag is not consistent with the domain', () => {
    const { driver } = createTestDevice();
    expect(driver.attach(1, 8, BYPASS)).toBe(OK);
    expect(driver.attach(2, 9)).toBe(OK);
    expect(driver.attach(1, 9)).toBe(INVAL);
    expect(driver.attach(2, 8, BYPASS)).toBe(INVAL);
    expect(driver.attach(1, 8)).toBe(INVAL);
    expect(driver.attach(1, 9, BYPASS)).toBe(OK);
  });

  it('puts several endpoints into one domain', () => {
    const { driver, backend } = createTestDevice();
    expect(driver.attach(1, 8)).toBe(OK);
    expect(driver.map(1, 0x1000, 0x1fff, 0)).toBe(OK);
    expect(driver.attach(1, 9)).toBe(OK);
    expect(backend.domains.get(1)!.mappings).toHaveLength(1);
  });

  it('to the same domain again keeps its mappings', () => {
    const { driver, backend } = createTestDevice();
    driver.attach(1, 8);
    driver.map(1, 0x1000, 0x1fff, 0);
    expect(driver.attach(1, 8)).toBe(OK);
    expect(backend.domains.get(1)!.mappings).toHaveLength(1);
    expect(driver.map(1, 0x1000, 0x1fff, 0)).toBe(INVAL);
  });

  it('to another domain moves, and forgets a domain left empty', () => {
    const { driver, backend } = createTestDevice();
    driver.attach(1, 8);
    driver.map(1, 0x1000, 0x1fff, 0);
    expect(driver.attach(2, 8)).toBe(OK);
    expect(backend.attached.get(8)).toBe(2);
    expect([...backend.domains.keys()]).toEqual([2]);
    expect(driver.map(1, 0x1000, 0x1fff, 0)).toBe(NOENT);
    expect(driver.attach(1, 9)).toBe(OK);
    expect(driver.map(1, 0x1000, 0x1fff, 0)).toBe(OK);
  });

  it('that fails leaves the endpoint where it was', () => {
    const refusing = new NaiveBackend();
    const { driver, backend } = createTestDevice({}, undefined, refusing);
    driver.attach(1, 8);
    driver.map(1, 0x1000, 0x1fff, 0);
    const createDomain = refusing.createDomain;
    refusing.createDomain = () => NOMEM;
    expect(driver.attach(2, 8)).toBe(NOMEM);
    refusing.createDomain = createDomain;
    refusing.attach = () => NOMEM;
    expect(driver.attach(3, 8)).toBe(NOMEM);
    expect([...backend.domains.keys()]).toEqual([1]);
    refusing.attach = () => {
      throw new Error('no hardware');
    };
    expect(driver.attach(3, 8)).toBe(DEVERR);
    expect([...backend.domains.keys()]).toEqual([1]);
    expect(driver.map(1, 0x1000, 0x1fff, 0)).toBe(INVAL);
    expect(driver.detach(1, 8)).toBe(OK);
  });

  it('is refused where what is reserved for the endpoint is mapped already', () => {
    const { driver } = createTestDevice();
    driver.attach(1, 8);
    expect(driver.map(1, 0xfeef_f000, 0xfeff_ffff, 0)).toBe(OK);
    expect(driver.attach(1, 10)).toBe(UNSUPP);
    expect(driver.unmap(1, 0xfeef_f000, 0xfeff_ffff)).toBe(OK);
    expect(driver.attach(1, 10)).toBe(OK);
  });
});
