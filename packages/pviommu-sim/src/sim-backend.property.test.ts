import { DrivenBackend, NaiveBackend } from '@viommu/iommu-core/testing';
import { silentLogger } from '@viommu/virtqueue';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SimBackendOptions, simBackend } from './sim-backend.ts';

const ENDPOINT = 1;
const DOMAIN = 2;

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Addresses around the borders of leaves and nodes, in granules. */
function places(inputBits: number, granuleBits: number) {
  const last = 2 ** (inputBits - granuleBits) - 1;
  const borders = [0, 2 ** 9, 2 ** 18, 2 ** 27, 2 ** 36, last].filter((border) => border <= last);
  return fc
    .tuple(fc.constantFrom(...borders), fc.integer({ min: -3, max: 3 }), fc.nat(1))
    .map(([border, near, second]) => clamp(border + near + second * 2 ** 9, last));
}

function clamp(value: number, last: number): number {
  return Math.max(0, Math.min(value, last));
}

describe('simBackend', () => {
  it.each<[string, number, number, SimBackendOptions]>([
    ['48 bits of 4 KiB', 48, 12, {}],
    ['48 bits of one byte', 48, 0, { pageSizeMask: 1n }],
    ['52 bits of one byte', 52, 0, { pageSizeMask: 1n, inputBits: 52 }],
    ['40 bits of 64 KiB', 40, 16, { pageSizeMask: 0x1_0000n, inputBits: 40 }],
    ['one level', 20, 12, { inputBits: 20 }],
  ])('translates as the naive backend does: %s', (_, inputBits, granuleBits, options) => {
    const granule = 2 ** granuleBits;
    const place = places(inputBits, granuleBits);
    const step = fc.tuple(fc.boolean(), place, place, fc.nat(1000), fc.nat(3));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), fc.array(place), (steps, probes) => {
        const components = { logger: silentLogger };
        const sim = new DrivenBackend(simBackend(options)(components));
        const naive = new DrivenBackend(new NaiveBackend({ pageSizeMask: BigInt(granule) }));
        const mapped: Range[] = [];
        for (const backend of [sim, naive]) {
          backend.createDomain(DOMAIN, false);
          backend.attach(ENDPOINT, DOMAIN);
        }
        for (const [isMap, a, b, page, flags] of steps) {
          const start = Math.min(a, b) * granule;
          const end = (Math.max(a, b) + 1) * granule - 1;
          const affected = mapped.filter((range) => range.start <= end && start <= range.end);
          if (isMap && affected.length === 0) {
            expect(sim.map(DOMAIN, start, end, page * granule, flags)).toBe(0);
            naive.map(DOMAIN, start, end, page * granule, flags);
            mapped.push({ start, end });
          } else if (affected.every((range) => start <= range.start && range.end <= end)) {
            expect(sim.unmap(DOMAIN, start, end)).toBe(0);
            naive.unmap(DOMAIN, start, end);
            mapped.splice(0, mapped.length, ...mapped.filter((range) => !affected.includes(range)));
          }
        }
        const edges = mapped.flatMap(({ start, end }) => [start - 1, start, end, end + 1]);
        for (const address of [...edges, ...probes.map((index) => index * granule + 1)]) {
          for (const access of [1, 2, 3]) {
            const ours = { physical: -1, length: -1, bypass: true };
            const theirs = { physical: -1, length: -1, bypass: true };
            const wanted = Math.max(0, address);
            const code = sim.translate(ENDPOINT, wanted, 0x2_0000, access, ours);
            expect(code).toBe(naive.translate(ENDPOINT, wanted, 0x2_0000, access, theirs));
            expect(ours).toEqual(theirs);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
