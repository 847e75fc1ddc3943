import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { le32, le64 } from './testing/request-driver.ts';
import { createTestDevice } from './testing/test-device.ts';

afterEach(() => {
  vi.useRealTimers();
});

const attachRequest = [1, 0, 0, 0, ...le32(1), ...le32(8), ...le32(0), 0, 0, 0, 0];
const mapRequest = [
  ...[3, 0, 0, 0, ...le32(1)],
  ...[...le64(0x1000), ...le64(0x1fff), ...le64(0xa000), ...le32(3)],
];
const unmapRequest = [4, 0, 0, 0, ...le32(1), ...le64(0x1000), ...le64(0x1fff), ...le32(0)];
const detachRequest = [2, 0, 0, 0, ...le32(1), ...le32(8), ...le64(0)];
const probeRequest = [5, 0, 0, 0, ...le32(10), ...new Array<number>(64).fill(0)];
const untouched = (bytes: Uint8Array) => bytes.every((byte) => byte === 0xee);

describe('request queue', () => {
  it('answers each request with its full writable length, whatever the status', () => {
    const { driver } = createTestDevice();
    for (const request of [detachRequest, mapRequest, unmapRequest]) {
      const refused = driver.send(request);
      expect(refused.used).toBe(4);
      expect(refused.status).not.toBe(0);
    }
    for (const request of [attachRequest, mapRequest, unmapRequest, detachRequest]) {
      expect(driver.send(request)).toEqual({ used: 4, writable: new Uint8Array(4), status: 0 });
    }
  });

  it('writes nothing for an unknown type, and says length 0', () => {
    const { driver, device } = createTestDevice();
    for (const type of [0, 6, 7, 0x80, 0xff]) {
      const answer = driver.send([type, ...attachRequest.slice(1)]);
      expect(answer.used).toBe(0);
      expect(untouched(answer.writable)).toBe(true);
    }
    expect(device.counters.unanswered).toBe(5);
  });

  it('does not know MAP and UNMAP without MAP_UNMAP', () => {
    const { driver } = createTestDevice({}, 0x1_0000_0073n);
    expect(driver.send(attachRequest).status).toBe(0);
    for (const request of [mapRequest, unmapRequest]) {
      const answer = driver.send(request);
      expect(answer.used).toBe(0);
      expect(untouched(answer.writable)).toBe(true);
    }
  });

  it.each([
    ['ATTACH', attachRequest, 4],
    ['DETACH', detachRequest, 4],
    ['MAP', mapRequest, 4],
    ['UNMAP', unmapRequest, 4],
    ['PROBE', probeRequest, 516],
  ])('gives back a %s that is too short as it was', (_, request, writableLength) => {
    const { driver, backend } = createTestDevice();
    driver.attach(1, 8);
    for (let length = 1; length < request.length; length++) {
      const answer = driver.send(request.slice(0, length), writableLength);
      expect(answer.used).toBe(0);
      expect(untouched(answer.writable)).toBe(true);
    }
    for (const shorter of [0, 1, 2, 3]) {
      const answer = driver.send(request, shorter);
      expect(answer.used).toBe(0);
      expect(untouched(answer.writable)).toBe(true);
    }
    expect(backend.attached.get(8)).toBe(1);
    expect(backend.domains.get(1)!.mappings).toEqual([]);
  });

  it('gives back a buffer with nothing to read', () => {
    const answer = createTestDevice().driver.send([], 4);
    expect(answer.used).toBe(0);
    expect(untouched(answer.writable)).toBe(true);
  });

  it('tolerates a longer readable part, and puts the tail at the end of a longer writable part', () => {
    const { driver } = createTestDevice();
    const answer = driver.send([...attachRequest, ...new Array<number>(80).fill(0xff)], 12);
    expect(answer).toEqual({ used: 12, writable: new Uint8Array(12), status: 0 });
    expect([...driver.send(mapRequest.with(32, 8), 12).writable]).toEqual([
      0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0,
    ]);
  });

  it('does not take a writable part beyond reason for a request', () => {
    const { driver } = createTestDevice();
    expect(driver.send(attachRequest, 4096).used).toBe(4096);
    const answer = driver.send(attachRequest, 4097);
    expect(answer.used).toBe(0);
    expect(untouched(answer.writable)).toBe(true);
  });

  it('takes requests in any split into descriptors', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 30 });
    fc.assert(
      fc.property(lengths, lengths, (readable, writable) => {
        const { driver, backend } = createTestDevice();
        const split = { readable, writable };
        expect(driver.send(attachRequest, 4, split).status).toBe(0);
        expect(driver.send(mapRequest, 4, split).status).toBe(0);
        expect(backend.domains.get(1)!.mappings).toEqual([
          { virtStart: 0x1000, virtEnd: 0x1fff, physStart: 0xa000, flags: 3 },
        ]);
        expect(driver.send(unmapRequest, 4, split).status).toBe(0);
        const probe = driver.send(probeRequest, 516, split);
        expect(probe.writable).toEqual(driver.probe(10).writable);
        expect(driver.send(detachRequest, 4, split).status).toBe(0);
      }),
    );
  });

  it('survives any bytes, and answers with the full length or not at all', () => {
    const { driver } = createTestDevice();
    const small = fc.constantFrom(0, 0, 1, 8, 9, 10, 0x10, 0xff);
    const bytes = fc.array(fc.oneof(small, fc.nat(255)), { maxLength: 80 });
    const request = fc.tuple(fc.integer({ min: 0, max: 6 }), bytes, fc.nat(600));
    fc.assert(
      fc.property(fc.array(request, { maxLength: 30 }), (requests) => {
        for (const [type, rest, writableLength] of requests) {
          const answer = driver.send([type, ...rest], writableLength);
          expect([0, writableLength]).toContain(answer.used);
          expect(answer.status).toBeLessThanOrEqual(8);
        }
      }),
    );
  });

  it('gives back buffers that lie outside memory', () => {
    const { driver, device } = createTestDevice();
    const outside = driver.memory;
    driver.memory.read = () => false;
    expect(driver.send(attachRequest).used).toBe(0);
    Reflect.deleteProperty(outside, 'read');
    expect(driver.send(attachRequest).used).toBe(4);
    expect(device.counters.unanswered).toBe(1);
  });

  it('raises one interrupt of queue 0 per drain', () => {
    const { driver } = createTestDevice();
    driver.send(attachRequest);
    expect(driver.interrupts).toEqual([0]);
  });

  it('is polled where the host asks for it: the device wants to be called again', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const isPolled = (pollMicroseconds: number) => {
      const { driver, device } = createTestDevice({ pollMicroseconds });
      driver.send(attachRequest);
      driver.send(mapRequest);
      return device.notifyQueue(0);
    };
    expect([isPolled(0), isPolled(1000)]).toEqual([false, true]);
  });

  it('counts answers by type and status', () => {
    const { driver, device } = createTestDevice();
    driver.send(mapRequest);
    driver.send(attachRequest);
    driver.send(mapRequest);
    driver.send(mapRequest);
    driver.send(unmapRequest);
    driver.probe(8);
    driver.detach(1, 444);
    const { attach, map, unmap, probe, detach } = device.counters.requests;
    expect(attach.byStatus).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(map.byStatus).toEqual([1, 0, 0, 0, 1, 0, 1, 0, 0]);
    expect(map.total).toBe(3);
    expect(unmap.byStatus[0]).toBe(1);
    expect(probe.byStatus[0]).toBe(1);
    expect(detach.byStatus[6]).toBe(1);
    expect(device.counters.unanswered).toBe(0);
  });

  it('shows an observer each request as it was on the wire', () => {
    const seen: unknown[] = [];
    const { driver } = createTestDevice({
      observer: {
        request: ({ type, status, bytes, length, writableLength, usedLength }) => {
          seen.push([type, status, [...bytes.subarray(0, length)], writableLength, usedLength]);
        },
      },
    });
    driver.send(attachRequest);
    driver.send(mapRequest.with(32, 8));
    driver.send([9, 8, 7]);
    expect(seen).toEqual([
      [1, 0, attachRequest, 4, 4],
      [3, 4, mapRequest.with(32, 8), 4, 4],
      [9, -1, [9, 8, 7], 4, 0],
    ]);
  });
});
