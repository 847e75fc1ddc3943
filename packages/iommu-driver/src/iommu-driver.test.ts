/** The bytes that the driver sends and reads, against a fake device; each expectation is written out from the standard. */
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeIommu, NOTIFICATION_DATA, PACKED } from './fixtures/fake-iommu.ts';
import type { IommuDriver } from './iommu-driver.ts';

let iommu: FakeIommu;
let driver: IommuDriver;

beforeEach(() => {
  iommu = new FakeIommu();
  driver = iommu.driver();
});

const fault = () => ({ reason: 0, flags: 0, endpoint: 0, address: 0 });

function hex(bytes: Uint8Array | undefined): string {
  return [...(bytes ?? [])].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

describe('bringing the device up', () => {
  it('accepts what it knows of what is offered', () => {
    expect(driver.features).toBe(0x3_0000_0077n);
    expect(iommu.driverFeatures).toBe(0x3_0000_0077n);
    expect(iommu.transport.readStatus()).toBe(0xf);
    const other = new FakeIommu();
    other.features = 0x1_0000_0000n | 1n | (1n << 20n);
    expect(other.driver().features).toBe(0x1_0000_0001n);
  });

  it('accepts packed virtqueues and kicks with data, and asks for no more than it is told to', () => {
    iommu = new FakeIommu();
    iommu.features |= PACKED | NOTIFICATION_DATA | (1n << 29n);
    expect(iommu.driver().features).toBe(0x47_2000_0077n);
    expect(iommu.driver({ features: PACKED | 4n }).features).toBe(0x5_0000_0004n);
    expect(iommu.driver({ features: 0n }).features).toBe(0x1_0000_0000n);
  });

  it.each([
    ['nothing but the queue', 0n, undefined, undefined],
    ['the available index', NOTIFICATION_DATA, 8, 1],
    // The event queue has 8 descriptors, so the next one is the first of the second lap; a request takes 2.
    ['offset and wrap counter', NOTIFICATION_DATA | PACKED, 0, 0x8002],
  ])('kicks with %s', (_what, features, events, requests) => {
    iommu = new FakeIommu();
    iommu.features |= features;
    iommu.driver().detach(1, 2);
    expect(iommu.kicks).toEqual([
      [1, events],
      [0, requests],
    ]);
  });

  it('reads the configuration', () => {
    expect(driver.config).toEqual({
      pageSizeMask: 0x20_1000n,
      granule: 4096,
      inputRange: { start: 0, end: 0x7f_ffff_ffff },
      domainRange: { start: 0, end: 1023 },
      probeSize: 64,
      bypass: true,
    });
  });

  it('reads each field in its own width, those of 64 bits by halves, and none that no feature offers', () => {
    const read = (features: bigint) => {
      iommu = new FakeIommu();
      iommu.features = features;
      const seen: [number, number][] = [];
      const { readConfig } = iommu.transport;
      iommu.transport.readConfig = (offset, width) => {
        seen.push([offset, width]);
        return readConfig(offset, width);
      };
      iommu.driver();
      return seen.sort(([first], [second]) => first - second);
    };
    expect(read(0x1_0000_0077n)).toEqual([
      ...[0, 4, 8, 12, 16, 20, 24, 28, 32].map((offset) => [offset, 4]),
      [36, 1],
    ]);
    expect(read(0x1_0000_0004n)).toEqual([
      [0, 4],
      [4, 4],
    ]);
  });

  it('reads the configuration again that changes meanwhile', () => {
    iommu = new FakeIommu();
    let generation = 0;
    const { readConfig } = iommu.transport;
    iommu.transport.readConfigGeneration = () => generation;
    iommu.transport.readConfig = (offset, width) => {
      const value = readConfig(offset, width);
      // Between the halves of input_range.end it becomes 0xffff_ffff.
      if (offset === 16 && generation === 0) {
        iommu.config.setBigUint64(16, 0xffff_ffffn, true);
        generation += 1;
      }
      return value;
    };
    iommu.config.setBigUint64(16, 0x7f_0000_0000n, true);
    expect(iommu.driver().config.inputRange).toEqual({ start: 0, end: 0xffff_ffff });
  });

  it('ignores the other bits of `bypass`', () => {
    for (const [value, bypass] of [
      [0xfe, false],
      [0x81, true],
    ] as const) {
      iommu = new FakeIommu();
      iommu.config.setUint8(36, value);
      expect(iommu.driver().config.bypass).toBe(bypass);
    }
  });

  it('kicks at the earliest when DRIVER_OK is set', () => {
    iommu = new FakeIommu();
    const statuses: number[] = [];
    const { notifyQueue } = iommu.transport;
    iommu.transport.notifyQueue = (...of) => {
      statuses.push(iommu.transport.readStatus());
      notifyQueue(...of);
    };
    iommu.driver().attach(1, 2);
    expect(statuses).toEqual([0xf, 0xf]);
  });

  it('makes its queues no larger than the device allows', () => {
    for (const size of [4, 8, 1024]) {
      iommu = new FakeIommu();
      const sizes: number[] = [];
      const { enableQueue } = iommu.transport;
      iommu.transport.enableQueue = (index, addresses) => {
        sizes.push(addresses.size);
        enableQueue(index, addresses);
      };
      iommu.driver({ requestQueueSize: size, eventQueueSize: size });
      expect(sizes).toEqual([Math.min(size, 8), Math.min(size, 8)]);
    }
  });

  it('takes everything as allowed that no feature limits', () => {
    iommu = new FakeIommu();
    iommu.features = 0x1_0000_0004n;
    expect(iommu.driver().config).toEqual({
      pageSizeMask: 0x20_1000n,
      granule: 4096,
      inputRange: { start: 0, end: 2 ** 53 - 1 },
      domainRange: { start: 0, end: 0xffff_ffff },
      probeSize: 0,
      bypass: undefined,
    });
  });

  it('refuses another device, a legacy one, and a page area that is too small', () => {
    iommu = new FakeIommu();
    iommu.deviceId = 2;
    expect(() => iommu.driver()).toThrow(expect.objectContaining({ code: 'NOT_AN_IOMMU' }));
    iommu = new FakeIommu();
    iommu.features = 0x77n;
    expect(() => iommu.driver()).toThrow(expect.objectContaining({ code: 'NO_VERSION_1' }));
    iommu = new FakeIommu();
    iommu.pages.allocate(0x3e000);
    expect(() => iommu.driver()).toThrow(expect.objectContaining({ code: 'NO_ADDRESSES' }));
  });
});

describe.each([
  ['split', 0n],
  ['packed', PACKED],
])('over %s virtqueues', (_layout, layout) => {
  beforeEach(() => {
    iommu = new FakeIommu();
    iommu.features |= layout;
    driver = iommu.driver();
    expect(driver.features & PACKED).toBe(layout);
  });

  describe('requests', () => {
    it('ATTACH', () => {
      driver.attach(7, 0x28);
      driver.attach(8, 0x30, true);
      expect(iommu.seen.map(({ readable }) => hex(readable))).toEqual([
        '0100000007000000280000000000000000000000',
        '0100000008000000300000000100000000000000',
      ]);
      expect(iommu.seen.map(({ writableLength }) => writableLength)).toEqual([4, 4]);
    });

    it('DETACH', () => {
      driver.detach(7, 0x28);
      expect(hex(iommu.seen[0]?.readable)).toBe('0200000007000000280000000000000000000000');
      expect(iommu.seen[0]?.writableLength).toBe(4);
    });

    it('MAP', () => {
      driver.map(7, 0x12_3456_7000, 0x12_3456_8fff, 0x4000_0000, 3);
      expect(hex(iommu.seen[0]?.readable)).toBe(
        '03000000070000000070563412000000ff8f56341200000000000040000000000300' + '0000',
      );
      expect(iommu.seen[0]?.writableLength).toBe(4);
    });

    it('UNMAP', () => {
      driver.unmap(7, 0x1000, 0x2fff);
      expect(hex(iommu.seen[0]?.readable)).toBe(
        '04000000070000000010000000000000ff2f00000000000000000000',
      );
      expect(iommu.seen[0]?.writableLength).toBe(4);
    });

    it('PROBE, and the reserved regions in its answer', () => {
      iommu.answer = ({ writableLength }) => {
        const bytes = new Uint8Array(writableLength);
        // An unknown property of 4 bytes, an MSI region, the end of the list, and what lies behind it.
        bytes.set([0x77, 0x10, 4, 0, 1, 2, 3, 4]);
        bytes.set([1, 0, 20, 0, 1, 0, 0, 0, 0, 0, 0xe0, 0xfe, 0, 0, 0, 0], 8);
        bytes.set([0xff, 0xff, 0xef, 0xfe, 0, 0, 0, 0], 24);
        bytes.set([0, 0, 0, 0, 1, 0, 20, 0], 32);
        return { bytes, usedLength: writableLength };
      };
      expect(driver.probe(0x28)).toEqual([{ subtype: 1, start: 0xfee0_0000, end: 0xfeef_ffff }]);
      expect(hex(iommu.seen[0]?.readable)).toBe(`0500000028000000${'00'.repeat(64)}`);
      expect(iommu.seen[0]?.writableLength).toBe(68);
    });

    it.each([
      ['a length beyond the list', [1, 0, 0xff, 0xff]],
      ['a region that is too short', [1, 0, 4, 0, 1, 0, 0, 0]],
      ['an empty list', []],
    ])('PROBE with %s has no regions', (_what, start) => {
      iommu.answer = ({ writableLength }) => {
        const bytes = new Uint8Array(writableLength);
        bytes.set(start);
        return { bytes, usedLength: writableLength };
      };
      expect(driver.probe(1)).toEqual([]);
    });

    it('asks no question that the device does not offer', () => {
      iommu = new FakeIommu();
      iommu.features = 0x1_0000_0004n;
      driver = iommu.driver();
      expect(driver.probe(1)).toEqual([]);
      expect(() => driver.setBypass(true)).toThrow(
        expect.objectContaining({ code: 'NO_BYPASS_CONFIG' }),
      );
      expect(iommu.seen).toEqual([]);
    });

    it('writes `bypass` with 0 and 1, and nothing else', () => {
      const writes: number[][] = [];
      iommu.transport.writeConfig = (...of) => writes.push(of);
      driver.setBypass(false);
      driver.setBypass(true);
      driver.attach(1, 2);
      driver.map(1, 0x1000, 0x1fff, 0, 1);
      expect(writes).toEqual([
        [36, 1, 0],
        [36, 1, 1],
      ]);
    });

    it('PROBE passes over a property whose reserved bits are not zero, and goes on behind it', () => {
      iommu.answer = ({ writableLength }) => {
        const bytes = new Uint8Array(writableLength);
        const region = [20, 0, 7, 9, 9, 9, 0, 0x10, 0, 0, 0, 0, 0, 0, 0xff, 0x1f, 0, 0, 0, 0, 0, 0];
        bytes.set([1, 0x10, ...region]);
        // Of an unknown subtype, with reserved bytes that are not zero.
        bytes.set([1, 0, ...region], 24);
        return { bytes, usedLength: writableLength };
      };
      expect(driver.probe(0x28)).toEqual([{ subtype: 7, start: 0x1000, end: 0x1fff }]);
      iommu.answer = ({ writableLength }) => {
        const bytes = new Uint8Array(writableLength);
        bytes.set([0, 0x80, 0, 0, 1, 0, 20, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0xff, 0x1f]);
        return { bytes, usedLength: writableLength };
      };
      expect(driver.probe(0x28)).toEqual([{ subtype: 0, start: 0x1000, end: 0x1fff }]);
    });

    it.each<[string, string, () => void]>([
      ['a domain beyond the range', 'DOMAIN_RANGE', () => driver.attach(1024, 8)],
      ['a domain beyond the range', 'DOMAIN_RANGE', () => driver.detach(1024, 8)],
      ['a domain beyond the range', 'DOMAIN_RANGE', () => driver.map(1024, 0, 0xfff, 0, 1)],
      ['a domain beyond the range', 'DOMAIN_RANGE', () => driver.unmap(1024, 0, 0xfff)],
      ['addresses beyond the range', 'INPUT_RANGE', () => driver.map(1, 0, 2 ** 39, 0, 1)],
      ['addresses beyond the range', 'INPUT_RANGE', () => driver.unmap(1, 0, 2 ** 39)],
      ['a mapping of one byte', 'MAP_RANGE', () => driver.map(1, 0x1000, 0x1000, 0, 1)],
      ['a mapping that ends before it starts', 'MAP_RANGE', () => driver.map(1, 0x1000, 0, 0, 1)],
      ['flags that are not known', 'MAP_FLAGS', () => driver.map(1, 0, 0xfff, 0, 8)],
    ])('%s is not sent: %s', (_what, code, send) => {
      expect(send).toThrow(expect.objectContaining({ code }));
      driver.sync();
      expect(iommu.seen).toEqual([]);
    });

    it('what was not negotiated is not sent: MMIO, a bypass domain', () => {
      driver.map(1, 0, 0xfff, 0, 7);
      driver = iommu.driver({ features: 4n });
      expect(() => driver.map(1, 0, 0xfff, 0, 7)).toThrow(
        expect.objectContaining({ code: 'MAP_FLAGS' }),
      );
      expect(() => driver.attach(1, 2, true)).toThrow(
        expect.objectContaining({ code: 'NO_BYPASS_CONFIG' }),
      );
      expect(iommu.seen).toHaveLength(1);
    });
  });

  describe('answers', () => {
    const status = (value: number) => ({ bytes: Uint8Array.of(value, 0, 0, 0), usedLength: 4 });

    it.each([
      [1, 'S_IOERR'],
      [2, 'S_UNSUPP'],
      [3, 'S_DEVERR'],
      [4, 'S_INVAL'],
      [5, 'S_RANGE'],
      [6, 'S_NOENT'],
      [7, 'S_FAULT'],
      [8, 'S_NOMEM'],
      [99, 'S_99'],
    ])('status %d is thrown as %s', (value, code) => {
      iommu.answer = () => status(value);
      expect(() => driver.attach(1, 2)).toThrow(expect.objectContaining({ code, status: value }));
    });

    it('an answer that was not used to its end has failed', () => {
      iommu.answer = () => ({ bytes: new Uint8Array(4), usedLength: 3 });
      expect(() => driver.attach(1, 2)).toThrow(expect.objectContaining({ code: 'S_IOERR' }));
      iommu.answer = ({ writableLength }) => ({
        bytes: new Uint8Array(writableLength),
        usedLength: writableLength - 1,
      });
      expect(() => driver.probe(2)).toThrow(expect.objectContaining({ code: 'S_IOERR' }));
    });

    it('the reserved bytes of an answer mean nothing', () => {
      iommu.answer = () => ({ bytes: Uint8Array.of(0, 1, 2, 3), usedLength: 4 });
      expect(() => driver.attach(1, 2)).not.toThrow();
    });

    it('a request that the device gives back unwritten has failed', () => {
      iommu.answer = () => ({ bytes: new Uint8Array(0), usedLength: 0 });
      expect(() => driver.attach(1, 2)).toThrow(expect.objectContaining({ code: 'S_IOERR' }));
      iommu.answer = () => ({ bytes: new Uint8Array(0), usedLength: 4 });
      expect(() => driver.attach(1, 2)).toThrow(expect.objectContaining({ code: 'S_255' }));
    });

    it('a device that does not answer is given up', () => {
      iommu.answer = () => undefined;
      expect(() => driver.attach(1, 2)).toThrow(expect.objectContaining({ code: 'NO_ANSWER' }));
    });

    it('queued requests share one wait, more of them than fit the queue', () => {
      for (let page = 0; page < 11; page += 1) {
        driver.queueMap(1, page * 4096, page * 4096 + 4095, 0x10000, 1);
      }
      const before = iommu.seen.length;
      driver.sync();
      expect(before).toBe(8);
      expect(iommu.seen.map(({ readable }) => readable[9]! >> 4)).toEqual([
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
      ]);
    });

    it('of several that fail the first is told, once', () => {
      const statuses = [0, 5, 4, 0];
      iommu.answer = () => status(statuses.shift() ?? 0);
      for (let page = 0; page < 4; page += 1) driver.queueUnmap(1, page * 4096, page * 4096 + 4095);
      expect(() => driver.sync()).toThrow(expect.objectContaining({ code: 'S_RANGE' }));
      expect(() => driver.sync()).not.toThrow();
      expect(iommu.seen).toHaveLength(4);
    });
  });

  describe('fault reports', () => {
    const report = Uint8Array.of(
      ...[2, 0, 0, 0, 0x02, 0x01, 0, 0, 0x28, 0, 0, 0, 0, 0, 0, 0],
      ...[0, 0, 0xad, 0xde, 0x12, 0, 0, 0],
    );

    it('are read', () => {
      const out = fault();
      expect(driver.takeFault(out)).toBe(false);
      expect(iommu.report(report)).toBe(24);
      expect(driver.takeFault(out)).toBe(true);
      expect(out).toEqual({ reason: 2, flags: 0x102, endpoint: 0x28, address: 0x12_dead_0000 });
      expect(driver.takeFault(out)).toBe(false);
    });

    it('find a buffer again and again', () => {
      const out = fault();
      for (let round = 0; round < 50; round += 1) {
        report[8] = round;
        expect(iommu.report(report)).toBe(24);
        expect(driver.takeFault(out)).toBe(true);
        expect(out.endpoint).toBe(round);
      }
    });

    it('have a buffer each, and none beyond', () => {
      for (let index = 0; index < 8; index += 1) expect(iommu.report(report)).toBe(24);
      expect(iommu.report(report)).toBeUndefined();
    });

    it('whose reserved bytes are not zero are passed over, and their buffers given back', () => {
      const out = fault();
      for (const at of [1, 2, 3]) {
        expect(iommu.report(report.with(at, 1))).toBe(24);
        expect(driver.takeFault(out)).toBe(false);
      }
      for (let index = 0; index < 8; index += 1) expect(iommu.report(report)).toBe(24);
      expect(driver.takeFault(out)).toBe(true);
    });

    it('are read without what is not known: reserved1, flags, the reason', () => {
      const out = fault();
      const odd = report.slice();
      odd.fill(0xff, 12, 16);
      odd.set([0xfe, 0xff, 0xff, 0xff], 4);
      odd[0] = 3;
      odd[8] = 0x28;
      iommu.report(odd);
      expect(driver.takeFault(out)).toBe(true);
      expect(out).toEqual({ reason: 0, flags: 0x102, endpoint: 0x28, address: 0x12_dead_0000 });
    });

    it('that are too short are passed over', () => {
      const out = fault();
      iommu.report(new Uint8Array(8));
      report[8] = 0x30;
      iommu.report(report);
      expect(driver.takeFault(out)).toBe(true);
      expect(out.endpoint).toBe(0x30);
      expect(driver.takeFault(out)).toBe(false);
    });
  });
});
