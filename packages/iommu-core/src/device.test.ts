import { silentLogger } from '@viommu/virtqueue';
import { describe, expect, it } from 'vitest';
import { VirtioIommuDevice } from './device.ts';
import type { VirtioIommuOptions } from './options.ts';
import { VIRTIO_IOMMU_S_NOMEM } from './protocol/constants.ts';
import { NaiveBackend, naiveBackend } from './testing/naive-backend.ts';
import { createTestDevice } from './testing/test-device.ts';

const configBytes = (device: VirtioIommuDevice) =>
  Array.from({ length: 40 }, (_, offset) => device.readConfig(offset, 1));

describe('VirtioIommuDevice', () => {
  it('is device 23 with two queues and 40 bytes of configuration', () => {
    const { device } = createTestDevice();
    expect(device.deviceId).toBe(23);
    expect(device.queueMaxSizes).toEqual([256, 64]);
    expect(device.configSize).toBe(40);
  });

  it('offers INPUT_RANGE, DOMAIN_RANGE, MAP_UNMAP, PROBE, MMIO, BYPASS_CONFIG, and neither BYPASS nor ACCESS_PLATFORM', () => {
    expect(createTestDevice().device.deviceFeatures).toBe(0b111_0111n);
    expect(createTestDevice({ mmio: false }).device.deviceFeatures).toBe(0b101_0111n);
    const without = new NaiveBackend({ mmio: false });
    expect(createTestDevice({}, undefined, without).device.deviceFeatures).toBe(0b101_0111n);
  });

  it('presents its configuration byte by byte', () => {
    const { device } = createTestDevice({
      pageSizeMask: 0x4020_1000n,
      inputRange: { start: 0x1000, end: 0xffff_ffff_ffff },
      domainRange: { start: 1, end: 0x1_0000 },
      probeSize: 0x104,
    });
    expect(configBytes(device)).toEqual([
      ...[0x00, 0x10, 0x20, 0x40, 0, 0, 0, 0],
      ...[0x00, 0x10, 0, 0, 0, 0, 0, 0],
      ...[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0],
      ...[1, 0, 0, 0],
      ...[0, 0, 1, 0],
      ...[4, 1, 0, 0],
      ...[1, 0, 0, 0],
    ]);
    expect(device.readConfig(0, 4)).toBe(0x4020_1000);
    expect(device.readConfig(16, 4)).toBe(0xffff_ffff);
    expect(device.readConfig(20, 2)).toBe(0xffff);
  });

  it('says behind its own fields what it is told to, before features are settled, and read-only', () => {
    const bytes = Uint8Array.of(1, 0, 48, 0, 5, 6, 7);
    const topology = { feature: 23, offset: 44, bytes };
    const device = new VirtioIommuDevice({
      backend: naiveBackend({ mmio: true }),
      endpoints: [],
      topology,
    });
    bytes.fill(0xff);
    expect(device.deviceFeatures).toBe(0x80_0077n);
    expect(device.configSize).toBe(51);
    for (let offset = 40; offset < 51; offset++) device.writeConfig(offset, 1, 0xee);
    expect(Array.from({ length: 11 }, (_, at) => device.readConfig(40 + at, 1))).toEqual([
      ...[0, 0, 0, 0],
      ...[1, 0, 48, 0, 5, 6, 7],
    ]);
    expect(device.readConfig(44, 4)).toBe(0x30_0001);
    expect(device.acceptFeatures(0x1_0080_0077n)).toBe(true);
    device.writeConfig(36, 1, 0);
    expect(device.readConfig(36, 1)).toBe(0);
  });

  it('has defaults that Linux can use', () => {
    const { device } = createTestDevice();
    expect(device.readConfig(8, 4)).toBe(0);
    expect(device.readConfig(20, 4)).toBe(0xffff);
    expect(device.readConfig(24, 4)).toBe(0);
    expect(device.readConfig(28, 4)).toBe(0xffff_ffff);
    expect(device.readConfig(32, 4)).toBe(512);
    const narrow = createTestDevice({}, undefined, new NaiveBackend({ inputEnd: 0xffff_ffff }));
    expect(narrow.device.readConfig(16, 4)).toBe(0xffff_ffff);
    expect(narrow.device.readConfig(20, 4)).toBe(0);
  });

  it('lets the driver write bypass with 0 and 1, and nothing else', () => {
    const { device, backend } = createTestDevice();
    const before = configBytes(device);
    for (let offset = 0; offset < 40; offset++) {
      if (offset !== 36) {
        device.writeConfig(offset, 1, 1);
      }
    }
    for (const value of [2, 0x80, 0xff]) {
      device.writeConfig(36, 1, value);
    }
    expect(configBytes(device)).toEqual(before);
    device.writeConfig(36, 1, 0);
    expect(device.readConfig(36, 1)).toBe(0);
    expect(backend.bypass).toBe(false);
    device.writeConfig(36, 1, 1);
    expect(device.readConfig(36, 1)).toBe(1);
    expect(backend.bypass).toBe(true);
  });

  it('does not let a driver write bypass that did not accept BYPASS_CONFIG', () => {
    const { device, backend } = createTestDevice({}, 0x1_0000_0037n);
    device.writeConfig(36, 1, 0);
    expect(device.readConfig(36, 1)).toBe(1);
    expect(backend.bypass).toBe(true);
  });

  it('starts with the bypass that it is told to, true by default', () => {
    expect(createTestDevice().backend.bypass).toBe(true);
    const { device, backend } = createTestDevice({ bootBypass: false });
    expect(backend.bypass).toBe(false);
    expect(device.readConfig(36, 1)).toBe(0);
  });

  it('keeps bypass over a device reset, and restores it on system reset', () => {
    const { device, backend } = createTestDevice();
    device.writeConfig(36, 1, 0);
    device.reset();
    expect(device.readConfig(36, 1)).toBe(0);
    expect(backend.bypass).toBe(false);
    device.systemReset();
    expect(device.readConfig(36, 1)).toBe(1);
    expect(backend.bypass).toBe(true);
  });

  it('counts the changes of bypass, which change the generation of the configuration', () => {
    const { device } = createTestDevice();
    const write = (value: number) => {
      device.writeConfig(36, 1, value);
      return device.silentConfigChanges;
    };
    expect([write(1), write(0), write(0), write(1), write(0)]).toEqual([0, 1, 1, 2, 3]);
    device.reset();
    expect(device.silentConfigChanges).toBe(3);
    device.systemReset();
    expect(device.silentConfigChanges).toBe(4);
  });

  it('detaches everything on reset, in any state', () => {
    const { device, backend, driver } = createTestDevice({ maxMappings: 1 });
    driver.attach(1, 8);
    driver.attach(1, 9);
    driver.attach(2, 10);
    driver.map(1, 0x1000, 0x1fff, 0);
    device.reset();
    device.reset();
    expect(backend.attached.size).toBe(0);
    expect(backend.domains.size).toBe(0);
    expect(device.notifyQueue(0)).toBe(false);
    driver.up();
    expect(driver.attach(1, 8)).toBe(0);
    expect(driver.map(1, 0x1000, 0x1fff, 0)).toBe(0);
  });

  it('has as many mappings as the host allows now', () => {
    const { device, driver } = createTestDevice({ maxMappings: 3 });
    driver.attach(1, 8);
    const map = (page: number) => driver.map(1, page * 0x1000, page * 0x1000 + 0xfff, 0);
    expect([map(1), map(2)]).toEqual([0, 0]);
    expect(device.mappingCount).toBe(2);
    device.maxMappings = 1;
    expect(map(3)).toBe(VIRTIO_IOMMU_S_NOMEM);
    expect([device.mappingCount, driver.unmap(1, 0x1000, 0x1fff)]).toEqual([2, 0]);
    expect(map(3)).toBe(VIRTIO_IOMMU_S_NOMEM);
    device.maxMappings = 2;
    expect([map(3), map(4)]).toEqual([0, VIRTIO_IOMMU_S_NOMEM]);
    expect(() => {
      device.maxMappings = 0;
    }).toThrow(expect.objectContaining({ code: 'MAX_MAPPINGS' }));
    expect(device.maxMappings).toBe(2);
  });

  it('detaches everything else when the backend throws on reset', () => {
    const throwing = new NaiveBackend();
    const { device, driver } = createTestDevice({}, undefined, throwing);
    driver.attach(1, 8);
    driver.attach(2, 9);
    const { detach } = throwing;
    throwing.detach = (endpoint) => {
      if (endpoint === 8) {
        throw new Error('no hardware');
      }
      detach.call(throwing, endpoint);
    };
    device.reset();
    expect([...throwing.attached.keys()]).toEqual([8]);
  });

  it('tells an observer of attachments, moves, detachments and resets', () => {
    const seen: unknown[] = [];
    const { device, driver } = createTestDevice({
      observer: {
        attached: (...of) => seen.push(['attached', ...of]),
        detached: (...of) => seen.push(['detached', ...of]),
        resetting: () => seen.push(['resetting', device.mappingsOf(3)?.size]),
        reset: () => seen.push(['reset', device.mappingsOf(3)?.size]),
      },
    });
    driver.attach(1, 8);
    driver.attach(1, 8);
    driver.attach(2, 8, 1);
    driver.detach(2, 8);
    driver.attach(3, 9);
    driver.map(3, 0, 4095, 0x1000, 3);
    device.reset();
    expect(seen).toEqual([
      ['attached', 8, 1, false],
      ['detached', 8, 1],
      ['attached', 8, 2, true],
      ['detached', 8, 2],
      ['attached', 9, 3, false],
      ['resetting', 1],
      ['detached', 9, 3],
      ['reset', undefined],
    ]);
  });

  it('hands the logger and its endpoints to the backend', () => {
    const backend = new NaiveBackend();
    createTestDevice({
      logger: silentLogger,
      backend: ({ logger }) => {
        expect(logger).toBe(silentLogger);
        return backend;
      },
    });
    expect([...backend.endpoints]).toEqual([8, 9, 10]);
  });

  it.each<[string, Partial<VirtioIommuOptions>]>([
    ['ENDPOINTS', { endpoints: [{ id: 1 }, { id: 1 }] }],
    ['ENDPOINTS', { endpoints: [{ id: -1 }] }],
    ['ENDPOINTS', { endpoints: [{ id: 2 ** 32 }] }],
    ['RESERVED_REGION', reserve([2, 0, 0xfff])],
    ['RESERVED_REGION', reserve([0, 0x1000, 0xfff])],
    ['RESERVED_REGION', reserve([0, -1, 0xfff])],
    ['RESERVED_REGION', reserve([0, 0, 2 ** 53])],
    ['RESERVED_REGION', reserve([1, 0, 0xfff], [1, 0x1000, 0x1fff])],
    ['RESERVED_REGION', reserve([0, 0x1000, 0x2fff], [0, 0, 0x1000])],
    ['PROBE_SIZE', { ...reserve([0, 0, 0xfff]), probeSize: 23 }],
    ['PROBE_SIZE', { probeSize: -1 }],
    ['PAGE_SIZE_MASK', { pageSizeMask: 0n }],
    ['PAGE_SIZE_MASK', { pageSizeMask: 0x800n }],
    ['PAGE_SIZE_MASK', { pageSizeMask: 1n << 64n }],
    ['INPUT_RANGE', { inputRange: { start: 0, end: 2 ** 48 } }],
    ['INPUT_RANGE', { inputRange: { start: 2, end: 1 } }],
    ['DOMAIN_RANGE', { domainRange: { start: 0, end: 2 ** 32 } }],
    ['DOMAIN_RANGE', { domainRange: { start: 0.5, end: 2 } }],
    ['MAX_MAPPINGS', { maxMappings: 0 }],
    ['MAX_MAPPINGS', { maxMappings: 2 ** 24 + 1 }],
    ['POLL_MICROSECONDS', { pollMicroseconds: 1001 }],
    ['POLL_MICROSECONDS', { pollMicroseconds: -1 }],
    ['MMIO', { mmio: true, backend: naiveBackend({ mmio: false }) }],
    ['TOPOLOGY', extend(6, 40, 4)],
    ['TOPOLOGY', extend(24, 40, 4)],
    ['TOPOLOGY', extend(49, 40, 4)],
    ['TOPOLOGY', extend(64, 40, 4)],
    ['TOPOLOGY', extend(7.5, 40, 4)],
    ['TOPOLOGY', extend(7, 36, 4)],
    ['TOPOLOGY', extend(7, 42, 4)],
    ['TOPOLOGY', extend(7, 40, 0)],
    ['TOPOLOGY', extend(7, 40, 65497)],
  ])('throws %s when an option makes no sense: %o', (code, options) => {
    const valid = { backend: naiveBackend(), endpoints: [{ id: 8 }] };
    expect(() => new VirtioIommuDevice({ ...valid, ...options })).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('throws for an endpoint that it does not know', () => {
    const { device, driver } = createTestDevice();
    const unknown = expect.objectContaining({ code: 'ENDPOINT_UNKNOWN' });
    expect(() => device.endpointMemory(444, driver.memory)).toThrow(unknown);
    expect(() => device.endpointCounters(444)).toThrow(unknown);
  });
});

function extend(feature: number, offset: number, length: number) {
  return { topology: { feature, offset, bytes: new Uint8Array(length) } };
}

function reserve(...regions: [subtype: number, start: number, end: number][]) {
  const reserved = regions.map(([subtype, start, end]) => ({ subtype, start, end }));
  return { endpoints: [{ id: 1, reserved }] };
}
