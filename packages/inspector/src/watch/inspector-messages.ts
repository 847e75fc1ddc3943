/**
 * The contract of what somebody who watches a machine is told: plain data that can be cloned to another thread or sent over a
 * socket. Types and docs only. Ends of ranges are inclusive, times are microseconds since the beginning, and an `iommu` is an index
 * into the machine's IOMMUs.
 */
import type { PassThroughStep } from './pass-through-step.ts';

/** When something happened. */
export interface Moment {
  readonly time: number;
  /** Number of the operation of the trace; 0 for a machine that is not replayed. */
  readonly operation: number;
}

/** A range that a guest must not map ("RESV_MEM property"). */
export interface ReservedRange {
  readonly start: number;
  readonly end: number;
  /** VIRTIO_IOMMU_RESV_MEM_T_* */
  readonly subtype: number;
}

export interface WatchedIommu {
  /** Of its socket, such as `iommu`. */
  readonly name: string;
  /** Where its registers are, such as `00:04.0`. */
  readonly place: string;
}

export interface WatchedEndpoint {
  readonly iommu: number;
  readonly endpoint: number;
  /** Such as `blk`. */
  readonly name: string;
  readonly kind: 'disk' | 'rng' | 'net' | 'engine';
  /** Such as `00:05.0`. */
  readonly place: string;
  readonly reserved: readonly ReservedRange[];
}

/** What the machine is made of; it does not change. */
export interface WatchedTopology {
  readonly iommus: readonly WatchedIommu[];
  readonly endpoints: readonly WatchedEndpoint[];
}

export interface WatchedMapping {
  readonly virtStart: number;
  readonly virtEnd: number;
  readonly physStart: number;
  /** VIRTIO_IOMMU_MAP_F_* */
  readonly flags: number;
}

export interface WatchedDomain {
  readonly iommu: number;
  readonly domain: number;
  /** Whether accesses of its endpoints are not translated. */
  readonly bypass: boolean;
  /** IDs of those that are attached. */
  readonly endpoints: readonly number[];
  /**
   * Four numbers for each: `virtStart`, `virtEnd`, `physStart`, `flags`. To take 100,000 of them and post them to another thread
   * keeps the devices waiting for 83 ms; as objects it was 191 ms.
   */
  readonly mappings: readonly number[];
}

/** What changed of domains, in order. A domain is there as long as an endpoint is attached to it. */
export type DomainChange =
  | {
      readonly kind: 'attached';
      readonly iommu: number;
      readonly domain: number;
      readonly endpoint: number;
      readonly bypass: boolean;
    }
  | {
      readonly kind: 'detached';
      readonly iommu: number;
      readonly domain: number;
      readonly endpoint: number;
    }
  | (WatchedMapping & { readonly kind: 'mapped'; readonly iommu: number; readonly domain: number })
  /** Every mapping that lies in the range is gone. */
  | {
      readonly kind: 'unmapped';
      readonly iommu: number;
      readonly domain: number;
      readonly virtStart: number;
      readonly virtEnd: number;
    };

/** An answered request. */
export interface WatchedRequest extends Moment {
  /** How many came before it. */
  readonly sequence: number;
  readonly iommu: number;
  /** VIRTIO_IOMMU_T_*, or the unknown number that the driver sent. */
  readonly type: number;
  /** VIRTIO_IOMMU_S_*; -1 when nothing was written. */
  readonly status: number;
  /** The device-readable part; `REQUEST_LAYOUTS` has its fields. */
  readonly bytes: Uint8Array;
  /** Bytes of the device-writable part that the driver gave. */
  readonly writableLength: number;
  /** `len` of the used element. */
  readonly usedLength: number;
}

/** An access that was denied. */
export interface WatchedFault extends Moment {
  readonly sequence: number;
  readonly iommu: number;
  readonly endpoint: number;
  /** The one that the endpoint was in. */
  readonly domain: number | undefined;
  /** VIRTIO_IOMMU_FAULT_R_* */
  readonly reason: number;
  /** VIRTIO_IOMMU_FAULT_F_READ or VIRTIO_IOMMU_FAULT_F_WRITE. */
  readonly access: number;
  readonly address: number;
  /** Whether the driver had given a buffer for the event. */
  readonly delivered: boolean;
}

/** An access that was let through. */
export interface WatchedAccess {
  readonly time: number;
  readonly iommu: number;
  readonly endpoint: number;
  /** The one that translated it; none for one that went by the IOMMU. */
  readonly domain: number | undefined;
  readonly address: number;
  readonly length: number;
  /** VIRTIO_IOMMU_MAP_F_READ or VIRTIO_IOMMU_MAP_F_WRITE. */
  readonly access: number;
  readonly physical: number;
}

/** What went through the IOMMU for an endpoint, over time. */
export interface EndpointTraffic {
  readonly iommu: number;
  readonly endpoint: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly accesses: number;
  readonly faults: number;
  /** Microseconds that each item of `bytes` stands for. It doubles whenever there would be too many of them. */
  readonly interval: number;
  /** Bytes read and written in the n-th interval; of the rest there were none. */
  readonly bytes: readonly number[];
}

/** Whether one side of a queue asks the other to notify it. */
export interface WatchedWish {
  readonly isAsked: boolean;
  /**
   * With VIRTIO_F_EVENT_IDX, the index (split), or the offset with the wrap counter in bit 15 (packed), that the other side has
   * to get past; undefined when each buffer is to be told of.
   */
  readonly at: number | undefined;
}

interface WatchedRingOfAnyLayout {
  /** The driver broke it. */
  readonly broken: boolean;
  /** Slots that the device has taken and not used yet: buffers of a split ring, descriptors of a packed one. */
  readonly inFlight: number;
  /** For kicks, as the device wrote it last; undefined as long as it is not known. */
  readonly kicks: WatchedWish | undefined;
  /** For interrupts, as the driver's wish was last read; undefined before. */
  readonly interrupts: WatchedWish | undefined;
}

/** Indices are free-running, modulo 2^16; the slot is the index modulo the size. */
export interface WatchedSplitRing extends WatchedRingOfAnyLayout {
  readonly layout: 'split';
  /** Of the next buffer that the device takes. */
  readonly nextAvail: number;
  /** The driver's, as it was last read. */
  readonly availIdx: number;
  readonly usedIdx: number;
}

/** Positions are offsets in descriptors, with the wrap counter in bit 15. How far the driver is cannot be said of this layout. */
export interface WatchedPackedRing extends WatchedRingOfAnyLayout {
  readonly layout: 'packed';
  /** Of the next descriptor that the device takes. */
  readonly available: number;
  /** Where the next used descriptor goes. */
  readonly used: number;
}

/** A queue of a virtio device, as the device sees it. Nothing of it was read from the guest's memory to be told. */
export interface WatchedQueue {
  /** The name of its IOMMU or endpoint in the topology. */
  readonly device: string;
  readonly queue: number;
  /** As the standard calls it, such as `requestq`. */
  readonly name: string;
  /** Number of descriptors, as the driver chose it. */
  readonly size: number;
  readonly enabled: boolean;
  /** Addresses as the driver wrote them: an IOMMU's are guest-physical, those of an endpoint go through its IOMMU. */
  readonly descriptorArea: number;
  readonly driverArea: number;
  readonly deviceArea: number;
  /** It was kicked, or its device asked to be called, and the device was not called yet. */
  readonly kicked: boolean;
  /** undefined while the device cannot use the queue. */
  readonly ring: WatchedSplitRing | WatchedPackedRing | undefined;
  /** Heads (split) or buffer IDs (packed) of the buffers in flight that the device keeps, in the order in which it took them. */
  readonly kept: readonly number[];
}

/** How long something took, in microseconds, over time. A median is exact to a 32nd. */
export interface WatchedDurations {
  /** How many were measured. */
  readonly count: number;
  /** Of all; 0 when there is none. */
  readonly median: number;
  readonly worst: number;
  /** Microseconds that each item of the lists stands for. It doubles whenever there would be too many of them. */
  readonly interval: number;
  /** In the n-th interval, by when it ended; -1 in one in which none did, and of the rest there were none. */
  readonly medians: readonly number[];
  readonly worsts: readonly number[];
}

/** How long the buffers of a queue took. */
export interface QueueLatency {
  /** The name of its IOMMU or endpoint in the topology. */
  readonly device: string;
  readonly queue: number;
  /** Buffers that the device has given back. */
  readonly used: number;
  /**
   * From the driver's kick until the device took the buffer; of one that came behind the kick it is an upper bound. Buffers that
   * were found without a kick are not in it, nor those of a queue that is filled ahead of what is to come.
   */
  readonly waiting: WatchedDurations;
  /**
   * From being taken to being used. In a recording all that is done in one operation has one time, so these are only the buffers
   * that were used in a later one.
   */
  readonly working: WatchedDurations;
}

/** Of all steps of one type: how often it was seen, and the latest, with its moment. */
export interface WatchedStep extends Moment {
  readonly count: number;
  readonly latest: PassThroughStep;
}

/** The changes since the last message, or all that there is. */
export interface InspectorUpdate extends Moment {
  /** In a message that has all; whoever gets it forgets what was before. */
  readonly topology?: WatchedTopology;
  /** There when {@link changes} are not enough: all domains, to put in place of those that are known. */
  readonly domains?: readonly WatchedDomain[];
  /** Whether some of the domains are those of before an IOMMU was reset, by a guest that has ended. */
  readonly isBeforeReset?: boolean;
  readonly changes: readonly DomainChange[];
  /** The latest; a gap in `sequence` shows that there were more than are kept. */
  readonly requests: readonly WatchedRequest[];
  readonly faults: readonly WatchedFault[];
  /** A sample: the latest ones. */
  readonly accesses: readonly WatchedAccess[];
  /** Of each endpoint that had accesses or faults since. */
  readonly traffic: readonly EndpointTraffic[];
  /** Each queue that stands otherwise than before. */
  readonly queues: readonly WatchedQueue[];
  /** Of each queue that has used buffers since. */
  readonly latency: readonly QueueLatency[];
  /** Of each type that was seen since. */
  readonly steps: readonly WatchedStep[];
}
