/** Counters of the device: what the driver asked, how it was answered, and what became of faults. */
import {
  VIRTIO_IOMMU_S_NOMEM,
  VIRTIO_IOMMU_T_ATTACH,
  VIRTIO_IOMMU_T_DETACH,
  VIRTIO_IOMMU_T_MAP,
  VIRTIO_IOMMU_T_PROBE,
  VIRTIO_IOMMU_T_UNMAP,
} from './protocol/constants.ts';

/** Answers to one type of request. */
export class RequestCounters {
  /** All that were answered with a status. */
  total = 0;
  /** By VIRTIO_IOMMU_S_*. */
  readonly byStatus: number[] = new Array<number>(VIRTIO_IOMMU_S_NOMEM + 1).fill(0);
}

/** Live numbers: they grow from construction on, and a reset does not clear them. */
export class IommuCounters {
  readonly requests = {
    attach: new RequestCounters(),
    detach: new RequestCounters(),
    map: new RequestCounters(),
    unmap: new RequestCounters(),
    probe: new RequestCounters(),
  };
  /** Buffers given back unwritten: an unknown type, or too short to be a request and its tail. */
  unanswered = 0;
  /** Accesses of endpoints that were refused. */
  faults = 0;
  /** Faults that the driver was told of. */
  eventsDelivered = 0;
  /** Faults for which there was no event buffer, or one that was too small. */
  eventsDropped = 0;

  countAnswer(type: number, status: number): void {
    const counters = this.#of(type);
    if (counters !== undefined) {
      counters.total += 1;
      counters.byStatus[status]! += 1;
    }
  }

  #of(type: number): RequestCounters | undefined {
    switch (type) {
      case VIRTIO_IOMMU_T_ATTACH:
        return this.requests.attach;
      case VIRTIO_IOMMU_T_DETACH:
        return this.requests.detach;
      case VIRTIO_IOMMU_T_MAP:
        return this.requests.map;
      case VIRTIO_IOMMU_T_UNMAP:
        return this.requests.unmap;
      case VIRTIO_IOMMU_T_PROBE:
        return this.requests.probe;
      default:
        return undefined;
    }
  }
}
