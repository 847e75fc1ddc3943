import { backendSuite } from '@viommu/iommu-core/testing';
import { silentLogger } from '@viommu/virtqueue';
import { describe, expect, it } from 'vitest';
import { FaultLog } from './fault-log.ts';
import { type SimBackendOptions, simBackend } from './sim-backend.ts';

backendSuite('simBackend, 4 KiB', simBackend());
backendSuite('simBackend, one byte', simBackend({ pageSizeMask: 1n }));
backendSuite('simBackend, 52 bits', simBackend({ inputBits: 52, pageSizeMask: 0x20n }));
backendSuite('simBackend, 32 bits', simBackend({ inputBits: 32 }));

const OK = 0;
const NOMEM = 8;

describe('simBackend', () => {
  const create = (options: SimBackendOptions) => simBackend(options)({ logger: silentLogger });
  const out = { physical: -1, length: -1, bypass: false };

  it('refuses what does not fit its budget of nodes, and has changed nothing then', () => {
    const backend = create({ maxNodes: 8 });
    backend.createDomain(1, false);
    backend.attach(1, 1);
    expect(backend.map(1, 0, 0xfff, 0, 3)).toBe(OK);
    // One root, three nodes below it: four are left, and a mapping may need six.
    expect(backend.map(1, 2 ** 40, 2 ** 40 + 0xfff, 0, 3)).toBe(NOMEM);
    expect(backend.translate(1, 2 ** 40, 1, 1, out)).toBe(2);
    expect(backend.translate(1, 0, 1, 1, out)).toBe(0);
    expect(backend.unmap(1, 0, 0xfff)).toBe(OK);
    expect(backend.map(1, 2 ** 40, 2 ** 40 + 0xfff, 0, 3)).toBe(OK);
  });

  it('refuses a domain beyond its budget, but never a bypass domain', () => {
    const backend = create({ maxNodes: 1 });
    expect(backend.createDomain(1, false)).toBe(OK);
    expect(backend.createDomain(2, false)).toBe(NOMEM);
    expect(backend.createDomain(3, true)).toBe(OK);
    backend.destroyDomain(1);
    expect(backend.createDomain(2, false)).toBe(OK);
  });

  it('does not wear out: mapping and unmapping anew always fits', () => {
    const backend = create({ maxNodes: 16, pageSizeMask: 1n });
    for (let round = 0; round < 200; round++) {
      expect(backend.createDomain(1, false)).toBe(OK);
      expect(backend.map(1, round * 1009, round * 1_000_003 + 5, 0, 3)).toBe(OK);
      backend.destroyDomain(1);
    }
  });

  it('keeps the last refused accesses in its fault log', () => {
    const faultLog = new FaultLog(2);
    const backend = create({ faultLog });
    backend.translate(1, 0x1000, 1, 1, out);
    backend.createDomain(1, false);
    backend.attach(1, 1);
    expect(faultLog.entries()).toEqual([{ endpoint: 1, address: 0x1000, access: 1, code: 1 }]);
    backend.translate(1, 0x2000, 1, 2, out);
    backend.map(1, 0x3000, 0x3fff, 0, 1);
    backend.translate(1, 0x3000, 1, 3, out);
    backend.translate(1, 0x3000, 1, 1, out);
    expect(faultLog.total).toBe(3);
    expect(faultLog.entries()).toEqual([
      { endpoint: 1, address: 0x2000, access: 2, code: 2 },
      { endpoint: 1, address: 0x3000, access: 3, code: 2 },
    ]);
  });

  it.each<SimBackendOptions>([
    { inputBits: 0 },
    { inputBits: 53 },
    { inputBits: 12 },
    { pageSizeMask: 0n },
    { pageSizeMask: 1n << 64n },
    { maxNodes: 0 },
    { maxNodes: 1.5 },
  ])('throws when an option makes no sense: %o', (options) => {
    expect(() => simBackend(options)).toThrow(expect.objectContaining({ code: 'SIM_OPTIONS' }));
  });
});
