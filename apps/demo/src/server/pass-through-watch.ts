/** Watches one device that is passed through, and tells the main thread each step of the figure. */

import { REQUEST_LAYOUTS, requestField } from '@viommu/inspector';
import type { IommuObserver } from '@viommu/iommu-core';
import type { PassThroughObserver } from '@viommu/machine';
import type { PassThroughMessage } from './server-messages.ts';

export interface PassThroughWatch {
  /** Of the virtio-iommu. */
  readonly iommu: Pick<IommuObserver, 'request' | 'translated' | 'reset'>;
  readonly host: PassThroughObserver;
  attached(endpoint: number, domain: number, bypass: boolean): void;
  detached(endpoint: number): void;
}

/** Says nothing while the device bypasses: then the host maps all of the guest's memory, over and over as firmware starts. */
export function watchPassThrough(
  engine: number,
  post: (message: PassThroughMessage) => void,
): PassThroughWatch {
  let domain: number | undefined;
  return {
    iommu: {
      request: (record) => {
        const isMap = record.status === 0 && REQUEST_LAYOUTS[record.type]?.name === 'MAP';
        const field = (name: string): number => Number(requestField(record, name));
        if (!isMap || field('domain') !== domain) return;
        post({
          type: 'guestMapped',
          virtStart: field('virt_start'),
          virtEnd: field('virt_end'),
          physStart: field('phys_start'),
        });
      },
      translated: (endpoint, address, length, access, hostPhysical, bypass) => {
        if (endpoint !== engine || bypass) return;
        post({ type: 'engineAccess', address, length, access, hostPhysical });
      },
      reset: () => {
        domain = undefined;
      },
    },
    host: {
      hostMapped: (_, iova, iovaEnd, userAddress, hostPhysical) => {
        if (domain === undefined) return;
        post({ type: 'hostMapped', iova, iovaEnd, userAddress, hostPhysical });
      },
      started: (_, source, destination, length) =>
        post({ type: 'engineStarted', source, destination, length }),
    },
    attached(endpoint, newDomain, bypass) {
      if (endpoint === engine) domain = bypass ? undefined : newDomain;
    },
    detached(endpoint) {
      if (endpoint === engine) domain = undefined;
    },
  };
}
