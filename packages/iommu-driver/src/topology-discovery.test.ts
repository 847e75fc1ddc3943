/** The registers that are read and written in which order, against a transport that writes down what it is asked. */
import type { AccessWidth } from '@viommu/virtqueue';
import type { DriverTransport } from '@viommu/virtqueue/driver';
import { describe, expect, it } from 'vitest';
import { FakeIommu } from './fixtures/fake-iommu.ts';
import { discoverTopology } from './topology-discovery.ts';

const OFFERED = 0x1_0000_0000n | (1n << 20n);
const IN_DEVICE = { feature: 20, offset: 40 };
/** One item at 48: segment 0, BDFs 0x28 to 0x2f, endpoint IDs from 0x500. */
const HEAD = [1, 0, 48, 0, 0, 0, 0, 0];
const ITEM = [1, 0, 16, 0, 0, 5, 0, 0, 0, 0, 0x28, 0, 0x2f, 0, 0, 0];
const RANGE = { kind: 'pci', segmentStart: 0, segmentEnd: 0, bdfStart: 0x28, bdfEnd: 0x2f };

/** @param tail of the configuration, from 40 on; 0 is read behind it */
function device(features: bigint, tail: number[], more: Partial<DriverTransport> = {}) {
  const log: string[] = [];
  const config = [...new Array<number>(40).fill(0xee), ...tail];
  const transport: DriverTransport = {
    ...new FakeIommu().transport,
    writeStatus: (status) => log.push(`status ${status}`),
    readDeviceFeatures: () => {
      log.push('features');
      return features;
    },
    writeDriverFeatures: () => log.push('driver features'),
    readConfig: (offset: number, width: AccessWidth) => {
      if (log.at(-1) !== 'config') log.push('config');
      if (offset % width !== 0) throw new Error(`${width} bytes at ${offset}`);
      let value = 0;
      for (let at = width - 1; at >= 0; at--) value = value * 256 + (config[offset + at] ?? 0);
      return value;
    },
    ...more,
  };
  return { log, transport };
}

describe('discoverTopology', () => {
  it('reads between two resets, and accepts nothing', () => {
    const { log, transport } = device(OFFERED, [...HEAD, ...ITEM]);
    const endpoints = discoverTopology(transport, IN_DEVICE);
    expect(endpoints).toEqual([{ ...RANGE, endpointStart: 0x500, iommu: 0 }]);
    expect(log).toEqual(['status 0', 'status 1', 'status 3', 'features', 'config', 'status 0']);
  });

  it('reads nothing without the feature', () => {
    const { log, transport } = device(0x1_0000_0077n, [...HEAD, ...ITEM]);
    expect(discoverTopology(transport, IN_DEVICE)).toBeUndefined();
    expect(log).toEqual(['status 0', 'status 1', 'status 3', 'features', 'status 0']);
  });

  it('finds nothing behind a device that has the feature and no items', () => {
    const { transport } = device(OFFERED, [0, 0, 0, 0]);
    expect(discoverTopology(transport, IN_DEVICE)).toEqual([]);
  });

  it('takes the size of the configuration from the transport that knows it', () => {
    const { transport, log } = device(OFFERED, [...HEAD, ...ITEM], { configSize: 63 });
    expect(() => discoverTopology(transport, IN_DEVICE)).toThrow(
      expect.objectContaining({ name: 'ViotError', code: 'NODE_BOUNDS', offset: 48 }),
    );
    expect(log.at(-1)).toBe('status 0');
  });

  it.each([
    ['an item of length 0', 48, [...HEAD, 1, 0, 0, 0]],
    ['more items than there are', 64, [...HEAD.with(0, 2), ...ITEM]],
    ['too short an item', 48, [...HEAD, ...ITEM.with(2, 12)]],
  ])('drops all of it and resets the device for %s', (_, offset, tail) => {
    const { transport, log } = device(OFFERED, tail);
    expect(() => discoverTopology(transport, IN_DEVICE)).toThrow(
      expect.objectContaining({ name: 'ViotError', code: 'NODE_BOUNDS', offset }),
    );
    expect(log.at(-1)).toBe('status 0');
  });

  it('leaves other devices alone', () => {
    const { transport, log } = device(OFFERED, [], { deviceId: 2 });
    expect(() => discoverTopology(transport, IN_DEVICE)).toThrow(
      expect.objectContaining({ code: 'NOT_AN_IOMMU' }),
    );
    expect(log).toEqual([]);
  });
});
