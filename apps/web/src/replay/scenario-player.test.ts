/** A scenario stands where one puts it, from whatever side one comes, and says what is mapped there. */
import { MachineView } from '@viommu/inspector';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScenarioPlayer } from './scenario-player.ts';
import { SCENARIOS } from './scenarios.ts';

const ENGINE = { iommu: 0, endpoint: 0x28, access: 1 };

/** All that a page would know. */
function seen(view: MachineView) {
  const { now, topology, requests, faults, accesses, traffic, domains, queues, latency } = view;
  return {
    ...{ now, topology, requests, faults, accesses, traffic, queues, latency },
    domains: domains.map(({ mappings, endpoints, ...rest }) => ({
      ...rest,
      mappings: [...mappings],
      endpoints: [...endpoints],
    })),
  };
}

/** What is seen at each position, step by step. */
function stepped(player: ScenarioPlayer) {
  const view = new MachineView();
  const states = [];
  for (;;) {
    view.apply(player.takeUpdate());
    states.push({ words: player.describe(), ...seen(view) });
    if (player.isAtEnd) return states;
    player.step();
  }
}

describe.each([1, 2] as const)('scenario %d', (number) => {
  const player = () => new ScenarioPlayer(SCENARIOS[number]);

  it('is the same at a position, however one came there', () => {
    const states = stepped(player());
    const { operations } = player().summary;
    expect(states).toHaveLength(operations + 1);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1, max: operations + 1 })), (positions) => {
        const jumping = player();
        const view = new MachineView();
        for (const position of positions) {
          jumping.jump(position);
          view.apply(jumping.takeUpdate());
          const state = { words: jumping.describe(), ...seen(view) };
          expect(state).toEqual(states[Math.min(Math.max(position, 0), operations)]);
          // Nothing is told twice.
          view.apply(jumping.takeUpdate());
          expect(seen(view).requests).toEqual(state.requests);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('says in its summary where requests and faults are', () => {
    const states = stepped(player());
    const { summary } = player();
    const at = (kind: 'requests' | 'faults') =>
      states.at(-1)![kind].map(({ operation }) => operation);
    expect(summary.requests).toEqual(at('requests'));
    expect(summary.faults).toEqual(at('faults'));
    expect(summary.faults.length).toBe(2);
    expect(summary.activity).toHaveLength(summary.operations);
  });
});

it('lights the steps of the figure in their order', () => {
  const { figure } = new ScenarioPlayer(SCENARIOS[1]).summary;
  const first = [...new Set(figure.map(({ step }) => step))];
  expect(first).toEqual(['1a', '1b', '1c', '2a', '2b']);
  for (const { text } of figure) expect(text).toMatch(/0x[0-9a-f]{6}/);
  expect(new ScenarioPlayer(SCENARIOS[2]).summary.figure).toEqual([]);
});

it('walks through a translation at each position, as the IOMMU translated it', () => {
  const player = new ScenarioPlayer(SCENARIOS[1]);
  const accesses = stepped(player).at(-1)!.accesses;
  const access = accesses[0]!;
  const query = { ...ENGINE, address: access.address };
  const ends: (string | number | undefined)[] = [];
  for (let position = 0; position <= player.summary.operations; position += 1) {
    player.jump(position);
    const { walk } = player.walk(query);
    ends.push(walk!.refused ?? walk!.stage2?.hostPhysical);
  }
  const changes = ends.filter((end, at) => end !== ends[at - 1]);
  expect(changes).toEqual([
    'the endpoint has no domain',
    'nothing is mapped there',
    access.physical,
    // The host has unmapped it, and the guest's request is not answered yet.
    "the host's tables refuse it",
    'nothing is mapped there',
    'the endpoint has no domain',
  ]);
  const elsewhere = { ...query, endpoint: 0x77 };
  expect(player.walk(elsewhere)).toEqual({ query: elsewhere, walk: undefined });
});
