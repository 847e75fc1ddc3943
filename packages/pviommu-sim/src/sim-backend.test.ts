import { backendSuite, DrivenBackend } from '@viommu/iommu-core/testing';
import { silentLogger } from '@viommu/virtqueue';
import { describe, expect, it } from 'vitest';
import { FaultLog } from './fault-log.ts';
import { type SimBackendOptions, simBackend } from './sim-backend.ts';

backendSuite('simBackend, 4 KiB', simBackend());
backendSuite('simBackend, one byte', simBackend({ pageSizeMask: 1n }));
backendSuite('simBackend, 52 bits', simBackend({ inputBits: 52, pageSizeMask: 0x20n }));
backendSuite('simBackend, 32 bits', simBackend({ inputBits: 32 }));

describe('simBackend', () => {
  const create = (options: SimBackendOptions) =>
    new DrivenBackend(simBackend(options)({ logger: silentLogger }));
  const out = { physical: -1, length: -1, bypass: false };

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
  ])('throws when an option makes no sense: %o', (options) => {
    expect(() => simBackend(options)).toThrow(expect.objectContaining({ code: 'SIM_OPTIONS' }));
  });
});
