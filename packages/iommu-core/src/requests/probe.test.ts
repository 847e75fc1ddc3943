import { describe, expect, it } from 'vitest';
import { le32 } from '../testing/request-driver.ts';
import { createTestDevice } from '../testing/test-device.ts';

const OK = 0;
const INVAL = 4;
const NOENT = 6;

describe('PROBE', () => {
  it('presents reserved regions byte by byte, zeroes behind them, and the tail at probe_size', () => {
    const { driver } = createTestDevice();
    const answer = driver.probe(10);
    expect(answer.used).toBe(516);
    const properties = [
      1, 0, 20, 0, 1, 0, 0, 0, 0, 0, 0xe0, 0xfe, 0, 0, 0, 0, 0xff, 0xff, 0xef, 0xfe, 0, 0, 0, 0, 1,
      0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0xff, 0x0f, 0, 0, 8, 0, 0, 0,
    ];
    const zeroes = new Array(512 - properties.length).fill(0);
    expect([...answer.writable]).toEqual([...properties, ...zeroes, OK, 0, 0, 0]);
  });

  it('has no property for an endpoint without reserved regions', () => {
    const { driver } = createTestDevice();
    const answer = driver.probe(8);
    expect(answer.used).toBe(516);
    expect(answer.writable.every((byte) => byte === 0)).toBe(true);
  });

  it('does the same after ATTACH, and ignores reserved', () => {
    const { driver } = createTestDevice();
    driver.attach(1, 10);
    const answer = driver.send([5, 1, 1, 1, ...le32(10), ...new Array(64).fill(0xff)], 516);
    expect(answer.status).toBe(OK);
    expect(answer.writable[0]).toBe(1);
  });

  it('is refused for an endpoint that does not exist, and answered at full length', () => {
    const { driver } = createTestDevice();
    const answer = driver.probe(444);
    expect(answer.used).toBe(516);
    expect(answer.status).toBe(NOENT);
    expect(answer.writable.subarray(0, 512).every((byte) => byte === 0)).toBe(true);
  });

  it('writes no property when properties is smaller than probe_size', () => {
    const { driver } = createTestDevice();
    for (const probeSize of [0, 48, 511]) {
      const answer = driver.probe(10, probeSize);
      expect(answer.used).toBe(probeSize + 4);
      expect([...answer.writable]).toEqual([...new Array(probeSize).fill(0), INVAL, 0, 0, 0]);
    }
  });

  it('takes the probe size of the device, and the tail at the end of a longer buffer', () => {
    const { driver } = createTestDevice({ probeSize: 64 });
    expect(driver.probe(10, 64).status).toBe(OK);
    expect(driver.probe(10, 63).status).toBe(INVAL);
    const longer = driver.probe(10, 100);
    expect(longer.used).toBe(104);
    expect(longer.writable[100]).toBe(OK);
    expect(longer.writable[0]).toBe(1);
  });

  it('is answered even if the driver did not accept the feature that is offered', () => {
    const { driver } = createTestDevice({}, 0x1_0000_0004n);
    expect(driver.probe(10).status).toBe(OK);
  });
});
