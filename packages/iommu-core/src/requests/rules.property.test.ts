import { VirtioError } from '@viommu/virtqueue';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndpointOptions } from '../options.ts';
import { NaiveBackend } from '../testing/naive-backend.ts';
import { createTestDevice, type TestDevice } from '../testing/test-device.ts';

const OK = 0;
const UNSUPP = 2;
const INVAL = 4;
const RANGE = 5;
const NOENT = 6;
const NOMEM = 8;

const GRANULE = 16;
const INPUT = { start: 0x10, end: 0x3ff };
const RESERVED = { start: 0x40, end: 0x5f };
const MAX_MAPPINGS = 6;

interface Mapping {
  start: number;
  end: number;
}

/** The rules of the standard, as plainly as they can be said: lists, searched from end to end. */
class Model {
  endpoints = [8, 9, 10];
  domains: { id: number; bypass: boolean; endpoints: number[]; mappings: Mapping[] }[] = [];

  domain(id: number) {
    return this.domains.find((domain) => domain.id === id);
  }

  attach(id: number, endpoint: number, flags: number): number {
    if (flags > 1) return INVAL;
    if (!this.endpoints.includes(endpoint)) return NOENT;
    if (id > 3) return RANGE;
    const target = this.domain(id);
    if (target && target.bypass !== (flags === 1)) return INVAL;
    if (target?.endpoints.includes(endpoint)) return OK;
    if (endpoint === 10 && target?.mappings.some((mapping) => touches(mapping, RESERVED)))
      return UNSUPP;
    this.#leave(endpoint);
    // The target may have been the endpoint's own former domain only if it has others left.
    const domain = this.domain(id) ?? { id, bypass: flags === 1, endpoints: [], mappings: [] };
    if (!this.domains.includes(domain)) this.domains.push(domain);
    domain.endpoints.push(endpoint);
    return OK;
  }

  detach(id: number, endpoint: number): number {
    if (!this.endpoints.includes(endpoint)) return NOENT;
    if (!this.domain(id)?.endpoints.includes(endpoint)) return INVAL;
    this.#leave(endpoint);
    return OK;
  }

  map(id: number, start: number, end: number, phys: number, flags: number): number {
    const domain = this.domain(id);
    const range = { start, end };
    if (flags > 7) return INVAL;
    if (end < start || start < INPUT.start || end > INPUT.end) return RANGE;
    if (start % GRANULE || (end + 1) % GRANULE || phys % GRANULE) return RANGE;
    if (!domain) return NOENT;
    if (domain.bypass) return INVAL;
    if (domain.mappings.some((mapping) => touches(mapping, range))) return INVAL;
    if (domain.endpoints.includes(10) && touches(range, RESERVED)) return INVAL;
    if (this.domains.flatMap((each) => each.mappings).length >= MAX_MAPPINGS) return NOMEM;
    domain.mappings.push(range);
    return OK;
  }

  unmap(id: number, start: number, end: number): number {
    const domain = this.domain(id);
    if (!domain) return NOENT;
    if (domain.bypass) return INVAL;
    if (end < start) return RANGE;
    const affected = domain.mappings.filter((mapping) => touches(mapping, { start, end }));
    if (affected.some((mapping) => mapping.start < start || mapping.end > end)) return RANGE;
    domain.mappings = domain.mappings.filter((mapping) => !affected.includes(mapping));
    return OK;
  }

  /** Whether the host may add it. */
  add(endpoint: number): boolean {
    if (this.endpoints.includes(endpoint)) return false;
    this.endpoints.push(endpoint);
    return true;
  }

  /** Whether the host may remove it. */
  remove(endpoint: number): boolean {
    if (!this.endpoints.includes(endpoint)) return false;
    this.endpoints = this.endpoints.filter((each) => each !== endpoint);
    this.#leave(endpoint);
    return true;
  }

  #leave(endpoint: number): void {
    for (const domain of this.domains) {
      domain.endpoints = domain.endpoints.filter((each) => each !== endpoint);
    }
    this.domains = this.domains.filter((domain) => domain.endpoints.length > 0);
  }
}

function touches(a: Mapping, b: Mapping): boolean {
  return a.start <= b.end && b.start <= a.end;
}

function endpointOptions(id: number): EndpointOptions {
  return id === 10 ? { id, reserved: [{ subtype: 0, ...RESERVED }] } : { id };
}

function create(): TestDevice {
  return createTestDevice(
    {
      endpoints: [8, 9, 10].map(endpointOptions),
      inputRange: INPUT,
      domainRange: { start: 0, end: 3 },
      maxMappings: MAX_MAPPINGS,
    },
    undefined,
    new NaiveBackend({ pageSizeMask: BigInt(GRANULE) }),
  );
}

/** What the backend was told, in the terms of the model. */
function told(backend: NaiveBackend) {
  return [...backend.domains].map(([id, { bypass, mappings }]) => ({
    id,
    bypass,
    endpoints: [...backend.attached].filter(([, domain]) => domain === id).map(([e]) => e),
    mappings: mappings.map(({ virtStart, virtEnd }) => ({ start: virtStart, end: virtEnd })),
  }));
}

function sorted(domains: Model['domains']) {
  return domains
    .map((domain) => ({
      ...domain,
      endpoints: [...domain.endpoints].sort((a, b) => a - b),
      mappings: [...domain.mappings].sort((a, b) => a.start - b.start),
    }))
    .sort((a, b) => a.id - b.id);
}

const domain = fc.constantFrom(0, 1, 2, 3, 4);
const endpoint = fc.constantFrom(8, 9, 10, 11);
const start = fc.oneof({ weight: 9, arbitrary: multiple(0, 0x40) }, fc.nat(0x420));
const length = fc.oneof(
  { weight: 9, arbitrary: multiple(0, 6) },
  fc.integer({ min: -20, max: 64 }),
);
const phys = fc.oneof({ weight: 9, arbitrary: multiple(0, 100) }, fc.nat(999));
const flags = fc.constantFrom(0, 1, 2, 3, 3, 7, 8);
const step = fc.oneof(
  fc.record({
    type: fc.constant('attach' as const),
    domain,
    endpoint,
    flags: fc.constantFrom(0, 0, 0, 1, 2),
  }),
  fc.record({ type: fc.constant('detach' as const), domain, endpoint }),
  fc.record({ type: fc.constant('map' as const), domain, start, length, phys, flags }),
  fc.record({ type: fc.constant('map' as const), domain, start, length, phys, flags }),
  fc.record({ type: fc.constant('unmap' as const), domain, start, length }),
  fc.record({ type: fc.constantFrom('add' as const, 'remove' as const), endpoint }),
);

/** Whether the host program's call does not throw. */
function succeeds(call: () => void): boolean {
  try {
    call();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(VirtioError);
    return false;
  }
}

function multiple(min: number, max: number) {
  return fc.integer({ min, max }).map((value) => value * GRANULE);
}

describe('the rules of requests', () => {
  it('are those of a naive model, in status and in effect', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { device, driver, backend } = create();
        const model = new Model();
        for (const s of steps) {
          switch (s.type) {
            case 'attach':
              expect(driver.attach(s.domain, s.endpoint, s.flags)).toBe(
                model.attach(s.domain, s.endpoint, s.flags),
              );
              break;
            case 'detach':
              expect(driver.detach(s.domain, s.endpoint)).toBe(model.detach(s.domain, s.endpoint));
              break;
            case 'map': {
              const end = Math.max(0, s.start + s.length - 1);
              expect(driver.map(s.domain, s.start, end, s.phys, s.flags)).toBe(
                model.map(s.domain, s.start, end, s.phys, s.flags),
              );
              break;
            }
            case 'unmap': {
              const end = Math.max(0, s.start + s.length - 1);
              expect(driver.unmap(s.domain, s.start, end)).toBe(
                model.unmap(s.domain, s.start, end),
              );
              break;
            }
            case 'add':
              expect(succeeds(() => device.addEndpoint(endpointOptions(s.endpoint)))).toBe(
                model.add(s.endpoint),
              );
              break;
            case 'remove':
              expect(succeeds(() => device.removeEndpoint(s.endpoint))).toBe(
                model.remove(s.endpoint),
              );
              break;
          }
          expect([...backend.endpoints].sort()).toEqual([...model.endpoints].sort());
          expect(sorted(told(backend))).toEqual(sorted(model.domains));
        }
      }),
      { numRuns: 300 },
    );
  });
});
