/** `viommu linux --scenario NAME --json` as a user starts it, on each guest: exit code 0, and the facts of the scenario. */
import { describe, expect, it } from 'vitest';
import { guestPartsAreCached } from '../src/guest/guest-parts.ts';
import type { PartChoice } from '../src/guest/part-choice.ts';
import { runLinux } from './run-linux.ts';
import { expectFacts, type ScenarioName } from './scenario-facts.ts';

interface GuestCase {
  readonly args: readonly string[];
  readonly choice: PartChoice;
  /** Of its kernel's release. */
  readonly release: RegExp;
  readonly scenarios: readonly ScenarioName[];
}

const GUESTS: GuestCase[] = [
  {
    args: [],
    choice: {},
    release: /^6\.12\..*-amd64$/,
    scenarios: [
      'disk',
      'passthrough',
      'network',
      'two-iommus',
      'mmio',
      'packed',
      'identity',
      'stray',
    ],
  },
  {
    args: ['--linux', 'backports'],
    choice: { linux: 'backports' },
    release: /^([7-9]|\d\d)\..*-amd64$/,
    scenarios: ['disk', 'passthrough', 'network', 'two-iommus', 'mmio', 'packed'],
  },
  {
    args: ['--arch', 'arm64'],
    choice: { architecture: 'arm64' },
    release: /^6\.12\..*-arm64$/,
    scenarios: ['disk', 'network', 'two-iommus', 'mmio', 'packed', 'identity', 'stray'],
  },
  {
    args: ['--arch', 'arm64', '--linux', 'backports'],
    choice: { architecture: 'arm64', linux: 'backports' },
    release: /^([7-9]|\d\d)\..*-arm64$/,
    scenarios: ['disk', 'mmio', 'packed'],
  },
  {
    args: ['--arch', 'arm64', '--pages', '16k'],
    choice: { architecture: 'arm64', pages: '16k' },
    release: /^6\.12\..*-arm64-16k$/,
    scenarios: ['disk', 'mmio', 'packed'],
  },
];

/** In CI the tests must run, and the command fetches what is missing; elsewhere the cache decides. */
function isReady(choice: PartChoice, scenario: ScenarioName): boolean {
  const needs = { compiler: scenario === 'passthrough', network: scenario === 'network' };
  return Boolean(process.env.CI) || guestPartsAreCached({ ...choice, ...needs });
}

describe.each(GUESTS)('viommu linux $args', ({ args, choice, release, scenarios }) => {
  for (const scenario of scenarios) {
    it.runIf(isReady(choice, scenario))(`--scenario ${scenario}`, () => {
      const result = runLinux(...args, '--scenario', scenario);
      expect(result.kernel).toMatch(release);
      expectFacts(result, scenario);
    });
  }
});
