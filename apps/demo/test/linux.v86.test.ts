/** `viommu linux --vmm v86`: the scenarios, with the same facts as under QEMU. */
import { v86GuestIsCached } from '@viommu/v86-guest';
import { describe, expect, it } from 'vitest';
import { guestProgramsAreCached } from '../src/guest/guest-parts.ts';
import { runLinuxFor } from './run-linux.ts';
import { expectFacts, type ScenarioName } from './scenario-facts.ts';

/** CI has twenty minutes, and each of them takes a processor for most of one: these, and the guest in the page, run there. */
const SCENARIOS_OF_CI: readonly ScenarioName[] = ['disk', 'stray'];
const SCENARIOS: readonly ScenarioName[] = [
  ...SCENARIOS_OF_CI,
  ...(['passthrough', 'network', 'two-iommus', 'mmio', 'packed', 'identity'] as const),
];
/** A guest that does not get that far ends by itself. */
const TIMEOUT = 620_000;
const isCi = Boolean(process.env.CI);
/** In CI the tests must run, and the kernel is built before them; elsewhere the cache decides. */
const isReady = isCi || v86GuestIsCached();
if (!isReady) {
  process.stderr.write(
    'tests of the guest in v86 are skipped: its kernel is not built; `npm run guest:v86` builds it\n',
  );
}

const runV86 = (...args: string[]) => runLinuxFor(TIMEOUT, '--vmm', 'v86', ...args);

function hasPrograms(scenario: ScenarioName): boolean {
  const needs = { compiler: scenario === 'passthrough', network: scenario === 'network' };
  return guestProgramsAreCached({ architecture: 'i386', ...needs });
}

describe.runIf(isReady)('viommu linux --vmm v86', { timeout: TIMEOUT }, () => {
  for (const scenario of isCi ? SCENARIOS_OF_CI : SCENARIOS) {
    it.runIf(isCi || hasPrograms(scenario))(`--scenario ${scenario}`, () => {
      const result = runV86('--scenario', scenario);
      expect(result.kernel).toMatch(/^6\.12\..*-viommu$/);
      expect(result.vmm).toBe('v86 0.5.462');
      expect(result.iommuGroups[0].type).toBe(scenario === 'identity' ? 'identity' : 'DMA');
      expectFacts(result, scenario);
    });
  }

  it.skipIf(isCi)('is as strict as its kernel command line has it', () => {
    const lazy = runV86('--append', 'iommu.strict=0');
    expect(lazy).toMatchObject({ ok: true, iommuGroups: [{ type: 'DMA-FQ' }, { type: 'DMA-FQ' }] });
  });
});
