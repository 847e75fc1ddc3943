/** The contract TranslationWalk: what an access would come to, stage by stage. Plain data; types and docs only. */
import type { WatchedMapping } from '../watch/inspector-messages.ts';

/** An access whose translation is to be walked through. */
export interface WalkQuery {
  /** Index of the IOMMU. */
  readonly iommu: number;
  readonly endpoint: number;
  /** 0 to 2^53 - 1. */
  readonly address: number;
  /** ACCESS_READ or ACCESS_WRITE. */
  readonly access: number;
}

/** For somebody who asks from afar, and may have asked for something else meanwhile. */
export interface WalkAnswer {
  readonly query: WalkQuery;
  /** undefined when there is no such endpoint. */
  readonly walk: TranslationWalk | undefined;
}

/** Ends are inclusive. What could not be reached is undefined. */
export interface TranslationWalk {
  readonly endpoint: number;
  /** That the endpoint accesses. */
  readonly address: number;
  /** ACCESS_READ or ACCESS_WRITE. */
  readonly access: number;
  /** The one that the endpoint is attached to. */
  readonly domain: number | undefined;
  /** Whether stage 1 is left out, and the address is guest-physical. */
  readonly bypass: boolean;
  /** The guest's mapping that covers the address, whatever it allows. */
  readonly stage1: WatchedMapping | undefined;
  /** What stage 1 makes of the address. */
  readonly guestPhysical: number | undefined;
  /** Of a device that is passed through. A virtual device reaches guest-physical memory. */
  readonly stage2: HostWalk | undefined;
  /** Why the access would be a fault; undefined when it would not. */
  readonly refused: string | undefined;
}

/** Stage 2, which the VMM makes, and what the physical IOMMU has of both stages. */
export interface HostWalk {
  /** The VMM's memory slot that has the guest-physical address. */
  readonly slot: WalkedSlot | undefined;
  /** Where the VMM has it in its own address space. */
  readonly userAddress: number | undefined;
  /** What the host's VFIO has mapped for the device where it accesses the address; `physStart` is host-physical. */
  readonly mapping: WatchedMapping | undefined;
  /** What the physical IOMMU makes of the address. */
  readonly hostPhysical: number | undefined;
}

export interface WalkedSlot {
  /** Guest-physical. */
  readonly start: number;
  readonly end: number;
  /** Of `start`, in the VMM's own address space. */
  readonly userAddress: number;
}
