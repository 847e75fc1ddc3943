/** `viommu linux --scenario NAME --json` as a user starts it: exit code 0, and the facts of the scenario. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hasGuest } from './guest-setting.ts';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const DISKS_AND_RNG = 2;

/** The last line of stdout as an object; everything that was printed when the command failed. */
function linux(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [MAIN, 'linux', '--json', ...args],
    { encoding: 'utf8', timeout: 250_000 },
  );
  if (status !== 0) throw new Error(`exit code ${status}\n${stdout}\n${stderr}`);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!);
}

describe.runIf(hasGuest)('viommu linux --scenario', () => {
  it('passthrough: a device of the host works for a program in the guest, and reaches nothing else', () => {
    const result = linux('--scenario', 'passthrough');
    expect(result).toMatchObject({ ok: true, scenario: 'passthrough', faults: 2 });
    expect(result.iommuGroups).toHaveLength(DISKS_AND_RNG + 1);
    const { walk, copies, kernelLog, guestMappings, hostMappings, accesses } = result.passthrough;
    expect(walk.iova).toBe(walk.virtualAddress);
    const addresses = [walk.iova, walk.guestPhysical, walk.vmmAddress, walk.hostPhysical];
    expect(new Set(addresses).size).toBe(4);
    expect(new Set(addresses.map((address) => address % 4096))).toEqual(new Set([0]));
    const [inside, outside, unmapped] = copies;
    expect(inside).toMatchObject({ length: 524288, status: 2, interrupts: 1, equal: true });
    expect(outside).toMatchObject({ status: 3, interrupts: 1, equal: true });
    expect(outside.errorAddress).toBe(walk.iova + 1048576);
    expect(unmapped).toMatchObject({ status: 3, errorAddress: walk.iova, interrupts: 1 });
    expect(kernelLog).toHaveLength(2);
    expect(kernelLog[0]).toContain(`at 0x${outside.errorAddress.toString(16)} [R]`);
    expect(guestMappings).toBeGreaterThan(0);
    expect(hostMappings).toBeGreaterThanOrEqual(guestMappings);
    expect(accesses).toBe(256);
  });

  it('two-iommus: two disks with one endpoint ID, each behind an IOMMU of its own', () => {
    const result = linux('--scenario', 'two-iommus');
    expect(result).toMatchObject({ ok: true, scenario: 'two-iommus', faults: 0 });
    expect(result.iommuGroups).toHaveLength(DISKS_AND_RNG + 1);
    const [first, second] = result.iommus;
    expect([first.disk, second.disk]).toEqual(['00:05.0', '00:0a.0']);
    for (const { requests, faults, translatedBytes } of result.iommus) {
      expect(requests.map).toBeGreaterThan(1000);
      expect(translatedBytes).toBeGreaterThan(40 << 20);
      expect(faults).toBe(0);
    }
    expect(result.requests.map).toBe(first.requests.map + second.requests.map);
  });
});
