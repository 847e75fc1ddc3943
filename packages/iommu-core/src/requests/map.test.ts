import { describe, expect, it } from 'vitest';
import { NaiveBackend } from '../testing/naive-backend.ts';
import { createTestDevice } from '../testing/test-device.ts';

const OK = 0;
const DEVERR = 3;
const INVAL = 4;
const RANGE = 5;
const NOENT = 6;
const NOMEM = 8;

function createAttached(...parameters: Parameters<typeof createTestDevice>) {
  const created = createTestDevice(...parameters);
  created.driver.attach(1, 8);
  return created;
}

describe('MAP', () => {
  it('is read from its bytes: virt_start at 8, virt_end at 16, phys_start at 24, flags at 32', () => {
    const { driver, backend } = createAttached();
    const answer = driver.send([
      3, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0x00, 0x10, 0x32, 0x54, 0x76, 0, 0, 0, 0xff, 0x2f, 0x32,
      0x54, 0x76, 0, 0, 0, 0x00, 0xa0, 0xcb, 0xed, 0x0f, 0, 0, 0, 7, 0, 0, 0,
    ]);
    expect(answer.used).toBe(4);
    expect([...answer.writable]).toEqual([0, 0, 0, 0]);
    expect(backend.domains.get(1)!.mappings).toEqual([
      { virtStart: 0x76_5432_1000, virtEnd: 0x76_5432_2fff, physStart: 0xf_edcb_a000, flags: 7 },
    ]);
  });

  it.each([
    ['virt_start', 0x1800, 0x2fff, 0],
    ['virt_end + 1', 0x1000, 0x2ffe, 0],
    ['virt_end + 1', 0x1000, 0x3000, 0],
    ['phys_start', 0x1000, 0x2fff, 0x800],
  ])('is refused when %s is not aligned to the granule', (_, virtStart, virtEnd, physStart) => {
    const { driver, backend } = createAttached();
    expect(driver.map(1, virtStart, virtEnd, physStart)).toBe(RANGE);
    expect(backend.domains.get(1)!.mappings).toEqual([]);
  });

  it('takes granules from a byte to beyond 4 GiB', () => {
    const finest = createAttached({}, undefined, new NaiveBackend({ pageSizeMask: 1n })).driver;
    expect(finest.map(1, 5, 5, 0xa1003)).toBe(OK);
    expect(finest.map(1, 6, 9, 0)).toBe(OK);
    const coarse = createAttached({ pageSizeMask: 1n << 33n }).driver;
    expect(coarse.map(1, 0, 2 ** 32 - 1, 0)).toBe(RANGE);
    expect(coarse.map(1, 2 ** 33, 2 ** 34 - 1, 0)).toBe(OK);
  });

  it('is refused where a mapping exists, at either end, inside and around', () => {
    const { driver, backend } = createAttached();
    expect(driver.map(1, 0x3000, 0x5fff, 0)).toBe(OK);
    for (const [start, end] of [
      [0x3000, 0x5fff],
      [0x2000, 0x3fff],
      [0x5000, 0x6fff],
      [0x4000, 0x4fff],
      [0x1000, 0x9fff],
    ] as const) {
      expect(driver.map(1, start, end, 0)).toBe(INVAL);
    }
    expect(driver.map(1, 0x2000, 0x2fff, 0)).toBe(OK);
    expect(driver.map(1, 0x6000, 0x6fff, 0)).toBe(OK);
    expect(backend.domains.get(1)!.mappings).toHaveLength(3);
  });

  it('is refused for flags that are not recognized', () => {
    const { driver } = createAttached();
    for (const flags of [8, 0x10, 0x8000_0000, 0xffff_ffff]) {
      expect(driver.map(1, 0x1000, 0x1fff, 0, flags)).toBe(INVAL);
    }
    for (const flags of [0, 1, 2, 3, 4, 7]) {
      expect(driver.map(1, 0x1000 * flags, 0x1000 * flags + 0xfff, 0, flags)).toBe(OK);
    }
  });

  it('knows MMIO only when F_MMIO is offered and negotiated', () => {
    expect(createAttached({ mmio: false }).driver.map(1, 0, 0xfff, 0, 7)).toBe(INVAL);
    expect(createAttached({}, 0x1_0000_0057n).driver.map(1, 0, 0xfff, 0, 7)).toBe(INVAL);
    expect(createAttached().driver.map(1, 0, 0xfff, 0, 7)).toBe(OK);
  });

  it('is refused for a domain that does not exist', () => {
    expect(createAttached().driver.map(2, 0, 0xfff, 0)).toBe(NOENT);
  });

  it('is refused for a bypass domain', () => {
    const { driver } = createTestDevice();
    driver.attach(1, 8, 1);
    expect(driver.map(1, 0, 0xfff, 0)).toBe(INVAL);
  });

  it('fails outside input_range', () => {
    const { driver } = createAttached({ inputRange: { start: 0x2000, end: 0x8fff } });
    expect(driver.map(1, 0x1000, 0x2fff, 0)).toBe(RANGE);
    expect(driver.map(1, 0x8000, 0x9fff, 0)).toBe(RANGE);
    expect(driver.map(1, 0x1000, 0x9fff, 0)).toBe(RANGE);
    expect(driver.map(1, 0x2000, 0x8fff, 0)).toBe(OK);
  });

  it('fails outside a range that the driver did not accept, too', () => {
    const options = {
      inputRange: { start: 0x2000, end: 0x8fff },
      domainRange: { start: 1, end: 1 },
    };
    const { driver } = createAttached(options, 0x1_0000_0074n);
    expect(driver.map(1, 0x9000, 0x9fff, 0)).toBe(RANGE);
    expect(driver.map(1, 0x8000, 0x8fff, 0)).toBe(OK);
    expect(driver.attach(2, 8)).toBe(RANGE);
  });

  it('fails, and never wraps, when virt_end is below virt_start or at the end of 64 bits', () => {
    const { driver, backend } = createAttached();
    expect(driver.map(1, 0x2000, 0x1fff, 0)).toBe(RANGE);
    expect(driver.map(1, 0x2000, 0xfff, 0)).toBe(RANGE);
    expect(driver.map(1, 0, 0xffff_ffff_ffff_ffffn, 0)).toBe(RANGE);
    expect(driver.map(1, 0xffff_ffff_ffff_f000n, 0xffff_ffff_ffff_ffffn, 0)).toBe(RANGE);
    expect(driver.map(1, 0x1000, 0x1fff, 0xffff_ffff_ffff_f000n)).toBe(RANGE);
    expect(driver.map(1, 0x1000, 0x2fff, 2 ** 52 - 0x1000)).toBe(RANGE);
    expect(driver.map(1, 0x1000, 0x1fff, 2 ** 52 - 0x1000)).toBe(OK);
    expect(driver.map(1, 0x10000, 0xffff_ffff_ffffn, 0)).toBe(OK);
    expect(backend.domains.get(1)!.mappings).toHaveLength(2);
  });

  it('fails for physical addresses that saturate, with a granule of one byte', () => {
    const { driver } = createAttached({}, undefined, new NaiveBackend({ pageSizeMask: 1n }));
    expect(driver.map(1, 5, 5, 1n << 60n)).toBe(RANGE);
  });

  it('is refused where a region is reserved for any endpoint of the domain', () => {
    const { driver } = createAttached();
    driver.attach(1, 10);
    expect(driver.map(1, 0xfee0_0000, 0xfee0_0fff, 0)).toBe(INVAL);
    expect(driver.map(1, 0xfedf_f000, 0xfee0_0fff, 0)).toBe(INVAL);
    expect(driver.map(1, 0xfeef_f000, 0xfef0_0fff, 0)).toBe(INVAL);
    expect(driver.map(1, 0x8_0000_0000, 0x8_0000_0fff, 0)).toBe(INVAL);
    expect(driver.map(1, 0xfedf_f000, 0xfedf_ffff, 0)).toBe(OK);
    expect(driver.map(1, 0xfef0_0000, 0xfef0_0fff, 0)).toBe(OK);
    driver.attach(2, 9);
    expect(driver.map(2, 0xfee0_0000, 0xfee0_0fff, 0)).toBe(OK);
  });

  it('stops at the limit on mappings, which unmapping and detaching lift', () => {
    const { driver } = createAttached({ maxMappings: 2 });
    driver.attach(2, 9);
    expect(driver.map(1, 0x1000, 0x1fff, 0)).toBe(OK);
    expect(driver.map(2, 0x1000, 0x1fff, 0)).toBe(OK);
    expect(driver.map(1, 0x2000, 0x2fff, 0)).toBe(NOMEM);
    driver.unmap(1, 0x1000, 0x1fff);
    expect(driver.map(1, 0x2000, 0x2fff, 0)).toBe(OK);
    expect(driver.map(1, 0x3000, 0x3fff, 0)).toBe(NOMEM);
    driver.detach(2, 9);
    expect(driver.map(1, 0x3000, 0x3fff, 0)).toBe(OK);
  });

  it('passes on what the backend refuses, and then has mapped nothing', () => {
    const refusing = new NaiveBackend();
    const { driver } = createAttached({}, undefined, refusing);
    const map = refusing.map;
    refusing.map = () => NOMEM;
    expect(driver.map(1, 0x1000, 0x1fff, 0)).toBe(NOMEM);
    refusing.map = () => 77;
    expect(driver.map(1, 0x1000, 0x1fff, 0)).toBe(DEVERR);
    refusing.map = map;
    expect(driver.map(1, 0x1000, 0x1fff, 0)).toBe(OK);
  });

  it('is a device error and one log line when the backend throws', () => {
    const lines: string[] = [];
    const logger = { debug() {}, info() {}, warn() {}, error: (line: string) => lines.push(line) };
    const throwing = new NaiveBackend();
    const { driver } = createAttached({ logger }, undefined, throwing);
    throwing.map = () => {
      throw new Error('no hardware');
    };
    expect(driver.map(1, 0x1000, 0x1fff, 0)).toBe(DEVERR);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('no hardware');
  });
});
