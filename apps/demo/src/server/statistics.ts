/** Collects what the devices counted into the plain object that the main thread gets. */
import type { Machine, MachineIommu } from '@viommu/machine';
import type { IsolationCheck } from './isolation-check.ts';
import type { IommuStatistics, ServerStatistics } from './server-messages.ts';

const REQUESTS = ['attach', 'detach', 'map', 'unmap', 'probe'] as const;

export function collectStatistics(
  machine: Machine,
  isolation: readonly IsolationCheck[],
): ServerStatistics {
  const iommus = machine.iommus.map(statisticsOf);
  const sum = (pick: (iommu: IommuStatistics) => number): number =>
    iommus.reduce((total, iommu) => total + pick(iommu), 0);
  const looks = (pick: (check: IsolationCheck) => number): number =>
    isolation.reduce((total, check) => total + pick(check), 0);
  return {
    iommus,
    requests: byName((name) => sum(({ requests }) => requests[name])),
    faults: sum(({ faults }) => faults),
    endpoints: machine.endpoints.map(({ iommu, endpoint, device }) => {
      const counters = machine.iommus[iommu]!.device.endpointCounters(endpoint);
      return {
        iommu,
        endpoint,
        device,
        translatedBytes: counters.translatedBytes,
        bypassedBytes: counters.bypassedBytes,
        bypassedAfterAttach: counters.bypassedWhileDriverUp,
      };
    }),
    isolation: {
      checked: looks(({ checked }) => checked),
      strayed: looks(({ strayed }) => strayed),
      refused: looks(({ refused }) => refused),
    },
  };
}

function statisticsOf({ device }: MachineIommu): IommuStatistics {
  const { requests, faults } = device.counters;
  return { requests: byName((name) => requests[name].total), faults };
}

function byName(count: (name: (typeof REQUESTS)[number]) => number): IommuStatistics['requests'] {
  return Object.fromEntries(
    REQUESTS.map((name) => [name, count(name)]),
  ) as unknown as IommuStatistics['requests'];
}
