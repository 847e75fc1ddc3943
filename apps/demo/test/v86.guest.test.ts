/** `viommu linux --vmm v86`: the scenarios that v86 has, with the same facts as under QEMU. */
import { v86GuestIsCached } from '@viommu/v86-guest';
import { describe, expect, it } from 'vitest';
import { guestProgramsAreCached } from '../src/guest/guest-parts.ts';
import { runLinuxFor } from './run-linux.ts';
import { expectFacts, type ScenarioName } from './scenario-facts.ts';

const SCENARIOS: readonly ScenarioName[] = [
  'disk',
  'passthrough',
  'network',
  'two-iommus',
  'mmio',
  'packed',
  'identity',
  'stray',
];
/** A guest that does not get that far ends by itself. */
const TIMEOUT = 620_000;
const isBuilt = v86GuestIsCached();
if (!isBuilt) {
  process.stderr.write(
    'tests of the guest in v86 are skipped: its kernel is not built; `npm run guest:v86` builds it\n',
  );
}

const runV86 = (...args: string[]) => runLinuxFor(TIMEOUT, '--vmm', 'v86', ...args);

/** In CI the command fetches what is missing; elsewhere the cache decides. */
function isReady(scenario: ScenarioName): boolean {
  const needs = { compiler: scenario === 'passthrough', network: scenario === 'network' };
  return Boolean(process.env.CI) || guestProgramsAreCached({ architecture: 'i386', ...needs });
}

describe.runIf(isBuilt)('viommu linux --vmm v86', { timeout: TIMEOUT }, () => {
  for (const scenario of SCENARIOS) {
    it.runIf(isReady(scenario))(`--scenario ${scenario}`, () => {
      const result = runV86('--scenario', scenario);
      expect(result.kernel).toMatch(/^6\.12\..*-viommu$/);
      expect(result.vmm).toBe('v86 0.5.462');
      expect(result.iommuGroups[0].type).toBe(scenario === 'identity' ? 'identity' : 'DMA');
      expectFacts(result, scenario);
    });
  }

  it('is as strict as its kernel command line has it', () => {
    const lazy = runV86('--append', 'iommu.strict=0');
    expect(lazy).toMatchObject({ ok: true, iommuGroups: [{ type: 'DMA-FQ' }, { type: 'DMA-FQ' }] });
  });
});
