/** Collects what the device counted into the plain object that the main thread gets. */
import type { Machine } from '../machine/machine.ts';
import type { IsolationCheck } from './isolation-check.ts';
import type { ServerStatistics } from './server-messages.ts';

export function collectStatistics(machine: Machine, isolation: IsolationCheck): ServerStatistics {
  const { requests, faults } = machine.iommu.counters;
  return {
    requests: {
      attach: requests.attach.total,
      detach: requests.detach.total,
      map: requests.map.total,
      unmap: requests.unmap.total,
      probe: requests.probe.total,
    },
    faults,
    endpoints: machine.functions.slice(1).map(({ bdf }) => {
      const counters = machine.iommu.endpointCounters(bdf);
      return {
        endpoint: bdf,
        translatedBytes: counters.translatedBytes,
        bypassedBytes: counters.bypassedBytes,
        bypassedAfterAttach: counters.bypassedWhileDriverUp,
      };
    }),
    isolation: {
      checked: isolation.checked,
      strayed: isolation.strayed,
      refused: isolation.refused,
    },
  };
}
