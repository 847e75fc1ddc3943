import { expect, it } from 'vitest';
import type { DomainChange, InspectorUpdate } from './inspector-messages.ts';
import { joinUpdates } from './join-updates.ts';
import { MachineView } from './machine-view.ts';

const TOPOLOGY = { iommus: [{ name: 'iommu', place: '00:04.0' }], endpoints: [] };
const LISTS = { changes: [], requests: [], faults: [], accesses: [], traffic: [] };
const EMPTY = { ...LISTS, queues: [], latency: [], steps: [] };
const WHERE = { iommu: 0, domain: 1 };
const PAGE = { virtStart: 0x1000, virtEnd: 0x1fff, physStart: 0x5000, flags: 3 };
const ATTACHED: DomainChange = { kind: 'attached', ...WHERE, endpoint: 8, bypass: false };
const traffic = (readBytes: number) => ({
  ...{ iommu: 0, endpoint: 8, readBytes, writtenBytes: 0, accesses: 1, faults: 0 },
  ...{ interval: 1000, bytes: [readBytes] },
});

const UPDATES: readonly InspectorUpdate[] = [
  { time: 0, operation: 0, topology: TOPOLOGY, domains: [], ...EMPTY },
  { time: 1, operation: 1, ...EMPTY, changes: [ATTACHED] },
  { time: 2, operation: 2, ...EMPTY, changes: [{ kind: 'mapped', ...WHERE, ...PAGE }] },
  { time: 3, operation: 3, ...EMPTY, traffic: [traffic(5)] },
  { time: 4, operation: 4, ...EMPTY, traffic: [traffic(9)] },
  { time: 5, operation: 5, ...EMPTY, changes: [{ kind: 'unmapped', ...WHERE, ...PAGE }] },
];

function seen(updates: readonly InspectorUpdate[]) {
  const view = new MachineView();
  for (const update of updates) view.apply(update);
  const { now, topology, domains, traffic: counted } = view;
  return {
    ...{ now, topology, counted },
    domains: domains.map(({ mappings, ...rest }) => ({ ...rest, mappings: [...mappings] })),
  };
}

it('says what the updates say one by one, however many are joined', () => {
  for (let first = 0; first < UPDATES.length; first += 1) {
    for (let end = first + 1; end <= UPDATES.length; end += 1) {
      const joined = [...UPDATES.slice(0, first), joinUpdates(UPDATES.slice(first, end))];
      expect(seen(joined)).toEqual(seen(UPDATES.slice(0, end)));
    }
  }
  expect(seen(UPDATES.slice(0, 5)).domains[0]!.mappings).toEqual([PAGE]);
  expect(seen(UPDATES).counted).toEqual([traffic(9)]);
});

it('forgets changes that all domains come behind', () => {
  const all = { time: 9, operation: 9, domains: [], ...EMPTY };
  expect(seen([joinUpdates([...UPDATES, all])]).domains).toEqual([]);
  expect(joinUpdates([...UPDATES, all]).changes).toEqual([]);
});
