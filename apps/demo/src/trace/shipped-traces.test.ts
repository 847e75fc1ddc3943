/** What stock kernels did with the devices, replayed: real input on machines that have no QEMU. */
import { statSync } from 'node:fs';
import { V86_VERSION } from '@viommu/v86';
import { describe, expect, it } from 'vitest';
import { SCENARIOS } from '../linux/scenarios/scenarios.ts';
import { readTrace } from './read-trace.ts';
import { replayFile } from './replay-file.ts';
import { SHIPPED_BOOTS } from './shipped-boots.ts';
import { shippedTrace } from './shipped-traces.ts';

const LARGEST = 200_000;

describe.each(SHIPPED_BOOTS)('$name', ({ name, scenario, guest, steps }) => {
  const path = shippedTrace(name);

  it('is replayed to its end, each answer as it was recorded', async () => {
    const result = await replayFile(path);
    expect(result.divergence).toBeUndefined();
    expect(result.isComplete).toBe(true);
    const { requests, faults, endpoints } = result.statistics;
    expect(faults).toBe(SCENARIOS.find((one) => one.name === scenario)!.faults);
    expect(requests.attach).toBeGreaterThanOrEqual(endpoints.length);
    expect(requests.map).toBeGreaterThan(100);
    expect(result.interrupts).toBeGreaterThan(0);
    for (const { bypassedAfterAttach } of endpoints) expect(bypassedAfterAttach).toBe(0);
    const read = steps.reduce((sum, step) => sum + ('length' in step ? step.length : 0), 0);
    const translated = endpoints.reduce((sum, one) => sum + one.translatedBytes, 0);
    expect(translated).toBeGreaterThan(read);
  });

  it('says what was recorded, and is small', async () => {
    const { versions, title } = await replayFile(path, { upto: 0 });
    if (guest === 'v86') {
      expect(versions.kernel).toMatch(/^6\.12\..*-viommu$/);
      expect(versions.v86).toBe(V86_VERSION);
    } else {
      expect(versions.kernel).toMatch(guest.linux === 'stable' ? /^6\.12\./ : /^7\./);
      expect(versions.qemu).toMatch(/^1[01]\./);
    }
    expect(title).toContain(guest === 'v86' ? 'i386' : guest.architecture);
    expect(statSync(path).size).toBeLessThan(LARGEST);
  });

  it('has no bytes of the guest but those that a function read', async () => {
    const kinds = new Set<string>();
    let disks: unknown;
    await readTrace(path, {
      header(header) {
        ({ disks } = header);
      },
      step({ effects }) {
        for (const effect of effects) if ('bytes' in effect) kinds.add(effect.kind);
        return true;
      },
    });
    // What was written is what the devices made themselves, and random is theirs too.
    expect([...kinds].sort()).toEqual([
      'dmaRead',
      'dmaWrite',
      ...(kinds.has('random') ? ['random'] : []),
    ]);
    expect(JSON.stringify(disks)).toContain('pattern');
  });
});
