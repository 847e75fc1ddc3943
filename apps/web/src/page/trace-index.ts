/** What comes with the page: scenarios and a guest, which run in it, and traces, of which the build writes `traces/index.json`. */
import type { ScenarioNumber } from '../replay/replay-messages.ts';

export interface ShippedTrace {
  readonly name: string;
  readonly title: string;
  /** Relative to the page. */
  readonly url: string;
}

export interface ShippedScenario {
  readonly name: string;
  readonly title: string;
  readonly scenario: ScenarioNumber;
}

/** A guest that boots in the page. */
export interface ShippedGuest {
  readonly name: string;
  readonly title: string;
  readonly isGuest: true;
}

export type Shipped = ShippedTrace | ShippedScenario | ShippedGuest;

/** Those that need nothing to be loaded. The first is what the page shows when its address names nothing. */
export const SHIPPED_RUNS: readonly (ShippedScenario | ShippedGuest)[] = [
  {
    name: 'scenario-1',
    scenario: 1,
    title: 'Scenario 1: a device passed through twice, with VFIO',
  },
  { name: 'scenario-2', scenario: 2, title: 'Scenario 2: a virtual device behind the IOMMU' },
  { name: 'linux', isGuest: true, title: 'Linux: boots in this page' },
];

export async function fetchTraceIndex(): Promise<readonly ShippedTrace[]> {
  const answer = await fetch('traces/index.json');
  if (!answer.ok) throw new Error(`the list of traces cannot be loaded: ${answer.status}`);
  return (await answer.json()) as readonly ShippedTrace[];
}
