/** What a device does that is told to answer as a failing one would. */
import { ArrayGuestMemory, CHAIN_KEPT } from '@viommu/virtqueue';
import { expect, it } from 'vitest';
import type { IommuInjector, RequestVerdict } from './injector.ts';
import type { RequestRecord } from './observer.ts';
import { createTestDevice } from './testing/test-device.ts';

const MAP = 3;
const [OK, NOENT, NOMEM] = [0, 6, 8];

/** Endpoint 8 in domain 1; what is given is done to each MAP. */
function attached(change: Partial<RequestVerdict>, injector: IommuInjector = {}) {
  const records: Pick<RequestRecord, 'type' | 'status' | 'usedLength'>[] = [];
  const { device, driver } = createTestDevice({
    injector: {
      request: ({ type }, verdict) => {
        if (type === MAP) Object.assign(verdict, change);
      },
      ...injector,
    },
    observer: {
      request: ({ type, status, usedLength }) => records.push({ type, status, usedLength }),
    },
  });
  driver.attach(1, 8);
  return { device, driver, records };
}

it('answers with another status and carries nothing out', () => {
  const { device, driver, records } = attached({ status: NOMEM });
  expect(driver.map(1, 0x1000, 0x1fff, 0x5000)).toBe(NOMEM);
  expect(device.mappingsOf(1)?.size).toBe(0);
  expect(records.at(-1)).toEqual({ type: MAP, status: NOMEM, usedLength: 4 });
  expect(device.counters.requests.map.byStatus[NOMEM]).toBe(1);
  expect(driver.unmap(1, 0x1000, 0x1fff)).toBe(OK);
  expect(driver.map(2, 0x1000, 0x1fff, 0x5000)).toBe(NOMEM);
});

it.each([
  [0, 0],
  [3, 3],
  [9, 4],
])('reports a used length of %d as %d', (usedLength, reported) => {
  const { device, driver, records } = attached({ usedLength });
  driver.map(1, 0x1000, 0x1fff, 0x5000);
  expect(records.at(-1)).toEqual({ type: MAP, status: OK, usedLength: reported });
  expect(device.mappingsOf(1)?.size).toBe(1);
});

it('holds answers back, hands them out in their order, and answers others meanwhile', () => {
  const { device, driver } = attached({ isHeld: true });
  const readable = [MAP, 0, 0, 0, 1, 0, 0, 0, ...new Array<number>(28).fill(0)];
  expect(driver.send(readable).used).toBe(CHAIN_KEPT);
  expect(driver.detach(1, 9)).toBe(4);
  expect(() => device.snapshot()).toThrow(expect.objectContaining({ code: 'SNAPSHOT_BUSY' }));
  driver.interrupts.length = 0;
  expect(device.releaseAnswer()).toBe(true);
  expect(driver.interrupts).toEqual([0]);
  expect(device.releaseAnswer()).toBe(false);
  expect(device.snapshot().domains).toHaveLength(1);
});

it.each(['reset', 'queueReset'] as const)('forgets answers that it holds at a %s', (end) => {
  const { device, driver } = attached({ isHeld: true });
  driver.map(1, 0x1000, 0x1fff, 0x5000);
  device[end](0);
  expect(device.releaseAnswer()).toBe(false);
});

it('asks about no request that cannot be answered, and does nothing to one that comes after', () => {
  const { driver, records } = attached({ status: NOMEM, usedLength: 1, isHeld: true });
  expect(driver.send([MAP, 0, 0, 0]).used).toBe(0);
  expect(driver.attach(1, 77)).toBe(NOENT);
  expect(records.at(-1)).toEqual({ type: 1, status: NOENT, usedLength: 4 });
});

it('drops the report of a fault', () => {
  const seen: number[][] = [];
  const { device, driver } = attached({}, { event: (...fault) => seen.push(fault) > 0 });
  driver.giveEventBuffer(24);
  const memory = new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(4096) }]);
  device.endpointMemory(8, memory).read(0x7000, new Uint8Array(1), 0, 1);
  expect(seen).toEqual([[8, 2, 1, 0x7000]]);
  expect([device.counters.faults, device.counters.eventsDropped]).toEqual([1, 1]);
});

it('asks for a reset when a driver is up', () => {
  const { device, driver } = attached({});
  expect(device.needsReset('a test')).toBe(true);
  expect(driver.needsReset).toEqual(['a test']);
  device.reset();
  expect(device.needsReset('again')).toBe(false);
});

it('shows who is in which domain, and what is mapped there', () => {
  const { device, driver } = attached({});
  driver.attach(5, 9, 1);
  for (const page of [1, 2, 3]) driver.map(1, page * 0x1000, page * 0x1000 + 0xfff, 0x8000);
  expect(device.attachments()).toEqual([
    { endpoint: 8, domain: 1, isBypassDomain: false },
    { endpoint: 9, domain: 5, isBypassDomain: true },
    { endpoint: 10, domain: undefined, isBypassDomain: false },
  ]);
  const starts: number[] = [];
  device.mappingsOf(1)!.visit(0x2000, 2 ** 52, (virtStart) => {
    starts.push(virtStart);
    return false;
  });
  expect(starts).toEqual([0x2000]);
  expect([device.mappingsOf(5), device.mappingsOf(6)]).toEqual([undefined, undefined]);
});
