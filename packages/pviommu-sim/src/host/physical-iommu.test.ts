/** One IOMMU of the host below the containers of several VMs, or of several virtual IOMMUs of one. */
import { VfioContainer } from '@viommu/vfio';
import { beforeEach, describe, expect, it } from 'vitest';
import { PhysicalIommu, type PhysicalIommuOptions } from './physical-iommu.ts';

const READ = 1;
const OK = 0;
const NO_DOMAIN = 1;
const NO_MAPPING = 2;
const ENOMEM = 12;
const EBUSY = 16;
const EINVAL = 22;
const PAGE = 0x1000;
const identity = {
  pin(
    userAddress: number,
    length: number,
    _flags: number,
    out: { physical: number; length: number },
  ) {
    out.physical = userAddress;
    out.length = length;
    return true;
  },
};

describe('PhysicalIommu', () => {
  let physical: PhysicalIommu;
  const out = { physical: 0, length: 0, bypass: false };
  const create = (options?: PhysicalIommuOptions) => {
    physical = new PhysicalIommu(options);
  };
  const container = () =>
    new VfioContainer({ iommu: physical.createAddressSpace(), userMemory: identity });
  const translate = (endpoint: number, address: number) =>
    physical.translate(endpoint, address, 1, READ, out);

  beforeEach(() => create());

  it('keeps containers apart, and has all devices of one see the same', () => {
    const [one, other] = [container(), container()];
    expect(one.attachGroup({ endpoints: [0x300, 0x301] })).toBe(0);
    expect(other.attachGroup({ endpoints: [0x400] })).toBe(0);
    one.mapDma(0x50000, 0, PAGE, READ);
    other.mapDma(0x60000, 0, PAGE, READ);
    for (const [endpoint, expected] of [
      [0x300, 0x50000],
      [0x301, 0x50000],
      [0x400, 0x60000],
    ] as const) {
      expect(translate(endpoint, 0)).toBe(OK);
      expect(out.physical).toBe(expected);
    }
    expect(translate(0x500, 0)).toBe(NO_DOMAIN);
  });

  it('has each device in one address space at most', () => {
    const [one, other] = [container(), container()];
    const group = { endpoints: [0x300] };
    one.attachGroup(group);
    one.mapDma(0x50000, 0, PAGE, READ);
    expect(other.attachGroup({ endpoints: [0x301, 0x300] })).toBe(-EBUSY);
    expect(translate(0x300, 0)).toBe(OK);
    expect(translate(0x301, 0)).toBe(NO_DOMAIN);
    one.detachGroup(group);
    expect(translate(0x300, 0)).toBe(NO_DOMAIN);
    expect(other.attachGroup({ endpoints: [0x301, 0x300] })).toBe(0);
    expect(translate(0x300, 0)).toBe(NO_MAPPING);
  });

  it('refuses mappings that it has no memory for, and has memory again when others are gone', () => {
    create({ maxMappings: 2 });
    const [one, other] = [container(), container()];
    one.attachGroup({ endpoints: [0x300] });
    const group = { endpoints: [0x400] };
    other.attachGroup(group);
    expect(one.mapDma(0x50000, 0, PAGE, READ)).toBe(0);
    expect(other.mapDma(0x50000, 0, PAGE, READ)).toBe(0);
    expect(one.mapDma(0x50000, PAGE, PAGE, READ)).toBe(-ENOMEM);
    expect(translate(0x300, PAGE)).toBe(NO_MAPPING);
    other.detachGroup(group);
    expect(one.mapDma(0x50000, PAGE, PAGE, READ)).toBe(0);
    expect(one.mapDma(0x50000, 2 * PAGE, PAGE, READ)).toBe(-ENOMEM);
    one.unmapDma(0, PAGE);
    expect(one.mapDma(0x50000, 2 * PAGE, PAGE, READ)).toBe(0);
  });

  it.each([0, 1.5, 2 ** 24 + 1])('throws when maxMappings makes no sense: %d', (maxMappings) => {
    expect(() => create({ maxMappings })).toThrow(expect.objectContaining({ code: 'SIM_OPTIONS' }));
  });

  it('maps nothing that is reserved on the host', () => {
    create({ reserved: [{ start: 0xfee0_0000, end: 0xfeef_ffff }] });
    const one = container();
    one.attachGroup({ endpoints: [0x300] });
    expect(one.mapDma(0x50000, 0xfee0_0000, PAGE, READ)).toBe(-EINVAL);
    expect(physical.capabilities.inputEnd).toBe(2 ** 48 - 1);
  });
});
