/** `viommu linux --vmm v86`: the scenarios that v86 has, with the same facts as under QEMU. */
import { v86GuestIsCached } from '@viommu/v86-guest';
import { describe, expect, it } from 'vitest';
import { runLinux } from './run-linux.ts';
import { expectFacts, type ScenarioName } from './scenario-facts.ts';

const SCENARIOS: readonly ScenarioName[] = ['disk', 'two-iommus', 'packed', 'identity', 'stray'];
const isBuilt = v86GuestIsCached();
if (!isBuilt) {
  process.stderr.write(
    'tests of the guest in v86 are skipped: its kernel is not built; `npm run guest:v86` builds it\n',
  );
}

describe.runIf(isBuilt)('viommu linux --vmm v86', () => {
  it.each(SCENARIOS)('--scenario %s', (scenario) => {
    const result = runLinux('--vmm', 'v86', '--scenario', scenario);
    expect(result.kernel).toMatch(/^6\.12\..*-viommu$/);
    expect(result.vmm).toBe('v86 0.5.462');
    expect(result.iommuGroups[0].type).toBe(scenario === 'identity' ? 'identity' : 'DMA');
    expectFacts(result, scenario);
  });

  it('is as strict as its kernel command line has it', () => {
    const lazy = runLinux('--vmm', 'v86', '--append', 'iommu.strict=0');
    expect(lazy).toMatchObject({ ok: true, iommuGroups: [{ type: 'DMA-FQ' }, { type: 'DMA-FQ' }] });
  });
});
