import { describe, expect, it } from 'vitest';
import { NaiveBackend } from '../testing/naive-backend.ts';
import { le32 } from '../testing/request-driver.ts';
import { createTestDevice } from '../testing/test-device.ts';

const OK = 0;
const DEVERR = 3;
const INVAL = 4;
const NOENT = 6;

describe('DETACH', () => {
  it('is read from its bytes: domain at 4, endpoint at 8, and reserved at 12 is ignored', () => {
    const { driver, backend } = createTestDevice();
    driver.attach(0x11223344, 8);
    const reserved = [1, 2, 3, 4, 5, 6, 7, 8];
    const answer = driver.send([2, 0, 0, 0, 0x44, 0x33, 0x22, 0x11, 8, 0, 0, 0, ...reserved]);
    expect(answer.used).toBe(4);
    expect([...answer.writable]).toEqual([0, 0, 0, 0]);
    expect(backend.attached.has(8)).toBe(false);
    expect(backend.domains.size).toBe(0);
  });

  it('is refused for an endpoint that does not exist', () => {
    const { driver } = createTestDevice();
    driver.attach(1, 8);
    expect(driver.detach(1, 444)).toBe(NOENT);
  });

  it('is refused for a domain that does not exist, or that the endpoint is not in', () => {
    const { driver, backend } = createTestDevice();
    expect(driver.detach(1, 8)).toBe(INVAL);
    driver.attach(1, 8);
    driver.attach(2, 9);
    expect(driver.detach(2, 8)).toBe(INVAL);
    expect(driver.detach(3, 8)).toBe(INVAL);
    expect(backend.attached.get(8)).toBe(1);
    expect(backend.attached.get(9)).toBe(2);
    expect(driver.detach(1, 8)).toBe(OK);
    expect(driver.detach(1, 8)).toBe(INVAL);
  });

  it('of the last endpoint deletes the domain with its mappings', () => {
    const { driver, backend } = createTestDevice();
    driver.attach(1, 8);
    driver.attach(1, 9);
    driver.map(1, 0x1000, 0x1fff, 0);
    expect(driver.detach(1, 8)).toBe(OK);
    expect(driver.map(1, 0x1000, 0x1fff, 0)).toBe(INVAL);
    expect(driver.detach(1, 9)).toBe(OK);
    expect(driver.map(1, 0x1000, 0x1fff, 0)).toBe(NOENT);
    expect(backend.domains.size).toBe(0);
    expect(driver.attach(1, 9, 1)).toBe(OK);
  });

  it('is a device error when the backend throws, and changes nothing', () => {
    const throwing = new NaiveBackend();
    const { driver } = createTestDevice({}, undefined, throwing);
    driver.attach(1, 8);
    throwing.detach = () => {
      throw new Error('no hardware');
    };
    expect(driver.detach(1, 8)).toBe(DEVERR);
    expect(driver.map(1, 0x1000, 0x1fff, 0)).toBe(OK);
  });

  it('of four bytes too few is not answered', () => {
    const { driver, backend } = createTestDevice();
    driver.attach(1, 8);
    expect(driver.send([2, 0, 0, 0, ...le32(1), ...le32(8), 0, 0, 0, 0]).used).toBe(0);
    expect(backend.attached.has(8)).toBe(true);
  });
});
