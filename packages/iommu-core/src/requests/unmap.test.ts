import { beforeEach, describe, expect, it } from 'vitest';
import { NaiveBackend } from '../testing/naive-backend.ts';
import { le32, le64 } from '../testing/request-driver.ts';
import { createTestDevice, type TestDevice } from '../testing/test-device.ts';

const OK = 0;
const DEVERR = 3;
const INVAL = 4;
const RANGE = 5;
const NOENT = 6;

describe('UNMAP', () => {
  let test: TestDevice;
  const map = (start: number, end: number) => test.driver.map(1, start, end, 0xa1000);
  const unmap = (start: number | bigint, end: number | bigint) => test.driver.unmap(1, start, end);
  const starts = () => test.backend.domains.get(1)!.mappings.map((mapping) => mapping.virtStart);

  beforeEach(() => {
    test = createTestDevice({}, undefined, new NaiveBackend({ pageSizeMask: 1n }));
    test.driver.attach(1, 8);
  });

  it('(1) of nothing succeeds', () => {
    expect(unmap(0, 4)).toBe(OK);
  });

  it('(2) removes a mapping', () => {
    map(0, 9);
    expect(unmap(0, 9)).toBe(OK);
    expect(starts()).toEqual([]);
  });

  it('(3) removes two mappings', () => {
    map(0, 4);
    map(5, 9);
    expect(unmap(0, 9)).toBe(OK);
    expect(starts()).toEqual([]);
  });

  it('(4) never splits a mapping', () => {
    map(0, 9);
    expect(unmap(0, 4)).toBe(RANGE);
    expect(unmap(5, 9)).toBe(RANGE);
    expect(unmap(4, 4)).toBe(RANGE);
    expect(starts()).toEqual([0]);
  });

  it('(5) leaves the mapping beside it', () => {
    map(0, 4);
    map(5, 9);
    expect(unmap(0, 4)).toBe(OK);
    expect(starts()).toEqual([5]);
  });

  it('(6) may spill over unmapped addresses', () => {
    map(0, 4);
    expect(unmap(0, 9)).toBe(OK);
    expect(starts()).toEqual([]);
  });

  it('(7) may have a hole', () => {
    map(0, 4);
    map(10, 14);
    expect(unmap(0, 14)).toBe(OK);
    expect(starts()).toEqual([]);
  });

  it('that would split the last of many mappings removes none', () => {
    for (let start = 0; start < 200; start += 10) {
      map(start, start + 9);
    }
    expect(unmap(0, 198)).toBe(RANGE);
    expect(unmap(1, 199)).toBe(RANGE);
    expect(starts()).toHaveLength(20);
    expect(unmap(0, 199)).toBe(OK);
    expect(starts()).toHaveLength(0);
  });

  it('reaches to the end of 64 bits', () => {
    map(0x1000, 0x1fff);
    map(0xffff_ffff_0000, 0xffff_ffff_ffff);
    expect(unmap(0x1001, 0xffff_ffff_ffff_ffffn)).toBe(RANGE);
    expect(unmap(0, 0xffff_ffff_ffff_ffffn)).toBe(OK);
    expect(starts()).toEqual([]);
    expect(unmap(0xffff_ffff_ffff_0000n, 0xffff_ffff_ffff_ffffn)).toBe(OK);
  });

  it('is refused when virt_end is below virt_start', () => {
    map(0, 9);
    expect(unmap(9, 0)).toBe(RANGE);
    expect(starts()).toEqual([0]);
  });

  it('is refused for a domain that does not exist, or is a bypass domain', () => {
    test.driver.attach(2, 9, 1);
    expect(test.driver.unmap(3, 0, 9)).toBe(NOENT);
    expect(test.driver.unmap(2, 0, 9)).toBe(INVAL);
  });

  it('is read from its bytes, and performed whatever reserved says', () => {
    map(0x11, 0x2233);
    const request = [4, 9, 9, 9, ...le32(1), ...le64(0x11), ...le64(0x2233), 1, 2, 3, 4];
    const answer = test.driver.send(request);
    expect(answer.used).toBe(4);
    expect([...answer.writable]).toEqual([0, 0, 0, 0]);
    expect(starts()).toEqual([]);
  });

  it('keeps the mappings when the backend fails', () => {
    map(0, 9);
    const { unmap: working } = test.backend;
    test.backend.unmap = () => {
      throw new Error('no hardware');
    };
    expect(unmap(0, 9)).toBe(DEVERR);
    test.backend.unmap = working;
    expect(map(0, 9)).toBe(INVAL);
    expect(unmap(0, 9)).toBe(OK);
  });
});
