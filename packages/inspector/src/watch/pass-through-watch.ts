/** Watches the devices that are passed through, and tells each step of the figure that can be seen from outside the guest. */
import { type IommuObserver, VIRTIO_IOMMU_S_OK, VIRTIO_IOMMU_T_MAP } from '@viommu/iommu-core';
import type { MachineDescription, PassThroughObserver } from '@viommu/machine';
import { addressField } from '../requests/request-layout.ts';
import type { PassThroughStep } from './pass-through-step.ts';

/** The host's VFIO takes no more. */
const RUNS_MAX = 65_535;

/** Both go into the options of createMachine. */
export interface PassThroughWatch {
  observe(iommu: number): IommuObserver;
  readonly host: PassThroughObserver;
}

/** Tells nothing of mappings while a device bypasses: then the host maps all of the guest's memory, over and over as firmware starts. */
export function watchPassThrough(
  { devices }: Pick<MachineDescription, 'devices'>,
  tell: (step: PassThroughStep) => void,
): PassThroughWatch {
  const engines = devices.filter(({ kind }) => kind === 'engine');
  const iommuOf = new Map(engines.map(({ endpoint, iommu }) => [endpoint, iommu]));
  /** By endpoint, as long as it is in one that translates. */
  const domains = new Map<number, number>();
  /** What the host has mapped since the last request: for a MAP, or since a device goes back to bypass. */
  let mapped: PassThroughStep[] = [];
  return {
    observe(iommu) {
      const isOurs = (endpoint: number): boolean => iommuOf.get(endpoint) === iommu;
      if (engines.every((engine) => engine.iommu !== iommu)) return {};
      return {
        request(record) {
          const { type, status } = record;
          const runs = mapped;
          mapped = [];
          if (type !== VIRTIO_IOMMU_T_MAP || status !== VIRTIO_IOMMU_S_OK) return;
          const domain = addressField(record, 'domain');
          const isWatched = [...domains].some(
            ([endpoint, own]) => own === domain && isOurs(endpoint),
          );
          if (!isWatched) return;
          const virtStart = addressField(record, 'virt_start');
          const virtEnd = addressField(record, 'virt_end');
          const physStart = addressField(record, 'phys_start');
          for (const run of runs) tell(run);
          tell({ type: 'guestMapped', domain, virtStart, virtEnd, physStart });
        },
        attached(endpoint, domain, bypass) {
          if (!isOurs(endpoint)) return;
          if (bypass) domains.delete(endpoint);
          else domains.set(endpoint, domain);
        },
        detached(endpoint) {
          if (!isOurs(endpoint)) return;
          domains.delete(endpoint);
          mapped = [];
        },
        translated(endpoint, address, length, access, hostPhysical, bypass) {
          if (bypass || !isOurs(endpoint)) return;
          tell({ type: 'engineAccess', endpoint, address, length, access, hostPhysical });
        },
        fault(endpoint, reason, access, address) {
          if (!isOurs(endpoint)) return;
          tell({ type: 'engineRefused', endpoint, address, access, reason });
        },
      };
    },
    host: {
      hostMapped(endpoint, iova, iovaEnd, userAddress, hostPhysical) {
        if (!domains.has(endpoint) || mapped.length === RUNS_MAX) return;
        mapped.push({ type: 'hostMapped', endpoint, iova, iovaEnd, userAddress, hostPhysical });
      },
      started: (endpoint, source, destination, length) =>
        tell({ type: 'engineStarted', endpoint, source, destination, length }),
    },
  };
}
