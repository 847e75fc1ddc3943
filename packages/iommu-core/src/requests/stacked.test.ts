/** One IOMMU on top of another in the same process, as with a VM in a VM: a request of one is made within a request of the other. */
import { expect, it } from 'vitest';
import { NaiveBackend } from '../testing/naive-backend.ts';
import { createTestDevice } from '../testing/test-device.ts';

const OK = 0;
const INVAL = 4;
const OFFSET = 0x10_0000;

it('keeps the requests of both apart', () => {
  const lower = createTestDevice();
  lower.driver.attach(1, 8);
  class StackedBackend extends NaiveBackend {
    override map(domain: number, virtStart: number, virtEnd: number, physStart: number): number {
      super.map(domain, virtStart, virtEnd, physStart, 3);
      return lower.driver.map(1, virtStart + OFFSET, virtEnd + OFFSET, physStart);
    }
    override unmap(domain: number, virtStart: number, virtEnd: number): number {
      super.unmap(domain, virtStart, virtEnd);
      return lower.driver.unmap(1, virtStart + OFFSET, virtEnd + OFFSET);
    }
  }
  const upper = createTestDevice({}, undefined, new StackedBackend());
  upper.driver.attach(1, 8);

  expect(upper.driver.map(1, 0x1000, 0x2fff, 0x5000)).toBe(OK);
  expect(upper.driver.map(1, 0x2000, 0x2fff, 0)).toBe(INVAL);
  expect(lower.driver.map(1, 0x2000 + OFFSET, 0x2fff + OFFSET, 0)).toBe(INVAL);
  expect(upper.driver.unmap(1, 0, 0x2fff)).toBe(OK);
  expect(upper.driver.map(1, 0x1000, 0x1fff, 0)).toBe(OK);
  expect(upper.driver.map(1, 0x1000, 0x1fff, 0)).toBe(INVAL);
});
