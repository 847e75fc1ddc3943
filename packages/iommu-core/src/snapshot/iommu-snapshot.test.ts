/** Snapshots of an IOMMU: what is mapped stays mapped, in another object with another backend, or nothing is. */
import { SnapshotReader } from '@viommu/virtqueue/snapshot';
import { describe, expect, it } from 'vitest';
import type { VirtioIommuOptions } from '../options.ts';
import { NaiveBackend } from '../testing/naive-backend.ts';
import { createTestDevice, type TestDevice } from '../testing/test-device.ts';

const FEATURES = 0x1_0000_0077n;
const [NOENT, OK] = [6, 0];

/** Three endpoints in two domains and none, mappings at both ends of the input range. */
function busyDevice(): TestDevice {
  const test = createTestDevice({ bootBypass: false });
  const { driver } = test;
  driver.attach(5, 8);
  driver.attach(5, 10);
  driver.attach(6, 9, 1);
  driver.map(5, 0, 0xfff, 0x5000, 1);
  driver.map(5, 0xffff_ffff_f000, 0xffff_ffff_ffff, 0xf_0000_0000_0000, 2);
  driver.map(5, 0x4000, 0x8fff, 0xfe00_0000, 7);
  test.device.writeConfig(36, 1, 1);
  return test;
}

const take = ({ device }: TestDevice) => JSON.parse(JSON.stringify(device.snapshot()));

interface RestoreOptions {
  readonly options?: Partial<VirtioIommuOptions>;
  readonly backend?: NaiveBackend;
  readonly isUp?: boolean;
  readonly features?: bigint;
}

/** A device made anew that has the snapshot, its driver up as the old one's. */
function restored(snapshot: unknown, to: RestoreOptions = {}): TestDevice {
  const { options, backend, isUp = true, features = FEATURES } = to;
  const test = createTestDevice({ bootBypass: false, ...options }, features, backend);
  const reader = new SnapshotReader(snapshot, 'iommu');
  const restore = test.device.prepareRestore(reader, { isUp, features });
  expect(test.device.snapshot().domains).toEqual([]);
  restore();
  return test;
}

it('domains, mappings and bypass are there again, for the backend too', () => {
  const before = busyDevice();
  const after = restored(take(before));
  expect(take(after)).toEqual(take(before));
  const inOrder = ({ domains }: NaiveBackend) =>
    [...domains].map(([id, { bypass, mappings }]) => ({
      ...{ id, bypass },
      mappings: mappings.toSorted((one, other) => one.virtStart - other.virtStart),
    }));
  expect(inOrder(after.backend)).toEqual(inOrder(before.backend));
  expect(after.backend.attached).toEqual(before.backend.attached);
  expect([after.backend.bypass, after.device.readConfig(36, 1)]).toEqual([true, 1]);
});

it('requests go on from there', () => {
  const { driver } = restored(take(busyDevice()));
  expect(driver.map(5, 0x8000, 0x8fff, 0)).not.toBe(OK);
  expect(driver.unmap(5, 0x4000, 0x8fff)).toBe(OK);
  expect(driver.map(5, 0x8000, 0x8fff, 0)).toBe(OK);
  // Reserved for one of its endpoints.
  expect(driver.map(5, 0xfee0_0000, 0xfee0_0fff, 0)).not.toBe(OK);
  for (const endpoint of [8, 10]) expect(driver.detach(5, endpoint)).toBe(OK);
  expect(driver.map(5, 0, 0xfff, 0)).toBe(NOENT);
  expect(driver.detach(6, 9)).toBe(OK);
});

it('what the operator was told is not told again', () => {
  const warnings: string[] = [];
  const logger = { debug() {}, info() {}, error() {}, warn: (line: string) => warnings.push(line) };
  const access = ({ device, driver }: TestDevice) =>
    device.endpointMemory(8, driver.memory).read(0, new Uint8Array(4), 0, 4);
  const before = createTestDevice({ logger });
  access(before);
  expect(warnings).toHaveLength(1);
  access(restored(take(before), { options: { logger, bootBypass: true } }));
  expect(warnings).toHaveLength(1);
});

it('a device without a driver has its bypass alone', () => {
  const snapshot = take(createTestDevice({ bootBypass: true }));
  const { device } = restored(snapshot, { isUp: false, features: 0n });
  expect(device.readConfig(36, 1)).toBe(1);
});

type Domain = { id: number; bypass: boolean; endpoints: number[]; mappings: number[] };
type Change = (snapshot: {
  domains: Domain[];
  endpoints: { id: number }[];
  bypass: unknown;
}) => void;
const PAGE = [0x10_0000, 0x10_0fff, 0, 3];
const DAMAGES: [string, Change, RestoreOptions?][] = [
  ['without bypass', (all) => Object.assign(all, { bypass: 2 })],
  ['of a device with fewer endpoints', ({ endpoints }) => endpoints.pop()],
  ['with an endpoint twice', ({ endpoints }) => endpoints.splice(0, 1, endpoints[1]!)],
  ['of a device with another endpoint', ({ endpoints }) => Object.assign(endpoints[0]!, { id: 7 })],
  [
    'with an endpoint in a domain that is not there',
    ({ domains }) => domains[0]!.endpoints.push(99),
  ],
  ['with an endpoint in two domains', ({ domains }) => domains[1]!.endpoints.push(8)],
  ['with a domain of nobody', ({ domains }) => domains[1]!.endpoints.pop()],
  ['with a domain twice', ({ domains }) => Object.assign(domains[1]!, { id: 5 })],
  ['with more domains than endpoints', ({ domains }) => domains.push(...domains)],
  ['with a domain out of range', () => {}, { options: { domainRange: { start: 0, end: 5 } } }],
  ['with part of a mapping', ({ domains }) => domains[0]!.mappings.pop()],
  ['with a mapping over another', ({ domains }) => domains[0]!.mappings.push(0, 0xfff, 0, 3)],
  [
    'with a mapping that ends before it starts',
    ({ domains }) => domains[0]!.mappings.push(0x9000, 0x8fff, 0, 3),
  ],
  ['with half a page', ({ domains }) => domains[0]!.mappings.push(0x9000, 0x97ff, 0, 3)],
  ['with a flag that nobody knows', ({ domains }) => domains[0]!.mappings.push(...PAGE.with(3, 8))],
  [
    'with a flag of 33 bits',
    ({ domains }) => domains[0]!.mappings.push(...PAGE.with(3, 2 ** 32 + 3)),
  ],
  [
    'with a mapping of a reserved region',
    ({ domains }) => domains[0]!.mappings.push(0xfee0_0000, 0xfee0_0fff, 0, 3),
  ],
  ['with a mapping in a bypass domain', ({ domains }) => domains[1]!.mappings.push(...PAGE)],
  [
    'with mappings beyond the input range',
    () => {},
    { options: { inputRange: { start: 0, end: 0xfffff } } },
  ],
  ['with more mappings than there may be', () => {}, { options: { maxMappings: 2 } }],
  ['with registers mapped, without the feature', () => {}, { features: 0x1_0000_0057n }],
  ['with a bypass domain, without the feature', () => {}, { features: 0x1_0000_0037n }],
  ['with domains, without a driver', () => {}, { isUp: false }],
];

describe('is refused, and changes nothing', () => {
  it.each(DAMAGES)('%s', (_what, change, options) => {
    const snapshot = take(busyDevice());
    change(snapshot);
    const calls: string[] = [];
    const backend = new NaiveBackend();
    for (const name of ['createDomain', 'attach', 'map', 'setBypass'] as const) {
      const call = backend[name].bind(backend) as (...of: unknown[]) => number;
      Object.assign(backend, {
        [name]: (...of: unknown[]) => {
          calls.push(name);
          return call(...of);
        },
      });
    }
    const fail = () => restored(snapshot, { backend, ...options });
    expect(fail).toThrow(expect.objectContaining({ code: 'SNAPSHOT' }));
    // The device was made, and nothing else.
    expect(calls).toEqual(['setBypass']);
  });
});

it.each(['createDomain', 'attach', 'map'] as const)(
  'is refused by a backend whose %s has no room, after all was checked',
  (name) => {
    const backend = new NaiveBackend();
    Object.assign(backend, { [name]: () => 8 });
    expect(() => restored(take(busyDevice()), { backend })).toThrow(
      expect.objectContaining({
        code: 'SNAPSHOT_REFUSED',
        message: expect.stringContaining('status 8'),
      }),
    );
  },
);
