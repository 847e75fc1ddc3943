import { afterEach, beforeEach, expect, it } from 'vitest';
import { ControlHarness, ENGINE, RNG } from '../control/fixtures/control-harness.ts';
import { StrayAccess } from './stray-access.ts';

let harness: ControlHarness;

beforeEach(() => {
  harness = new ControlHarness();
});
afterEach(() => harness.close());

it('goes astray once, when its endpoint is in a domain that translates', () => {
  const { device } = harness.machine.iommus[0]!;
  const stray = new StrayAccess({ endpoint: RNG, read: 0x3000, write: 0x5000 }, () => device);
  const { attached } = stray.observer;
  const faults: number[] = [];
  const work = () => {
    expect(stray.work()).toBe(-1);
    faults.push(device.counters.faults);
  };
  harness.driver.attach(7, RNG);
  harness.driver.map(7, 0x1000, 0x1fff, 0x5000);
  work();
  attached?.(ENGINE, 7, false);
  attached?.(RNG, 7, true);
  work();
  attached?.(RNG, 7, false);
  work();
  attached?.(RNG, 7, false);
  work();
  expect(faults).toEqual([0, 0, 2, 2]);
});
