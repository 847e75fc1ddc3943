/** What a client of the control socket and the server say to each other: a JSON object per line, both ways. */
import type { RuleState } from '../inject/rule-set.ts';

/** Grows when a client of the version before would misunderstand. */
export const CONTROL_VERSION = 1;
/** Clients at once. */
export const MAX_CLIENTS = 8;
/** Bytes of a line that a client sends. */
export const MAX_LINE = 65536;
/** Bytes that wait for a client to read them; one that is so far behind is dropped. */
export const MAX_BACKLOG = 1 << 20;
/** Mappings in one answer of `dump`. */
export const MAX_DUMP = 512;

/** The server's first line. */
export interface ControlGreeting {
  readonly viommu: 'control';
  readonly version: number;
}

/** An answer, in the order of the requests; `id` is what the request had, or null. */
export type ControlAnswer =
  | { readonly id: unknown; readonly result: unknown }
  | { readonly id: unknown; readonly error: string };

interface ListedEndpoint {
  readonly endpoint: number;
  readonly device: string;
  /** Null while it is in none. */
  readonly domain: number | null;
}

interface ListedDomain {
  readonly domain: number;
  /** What its endpoints access goes by untranslated. */
  readonly bypass: boolean;
  readonly mappings: number;
}

export interface ListResult {
  readonly iommus: readonly {
    readonly iommu: number;
    /** Whether endpoints in no domain go by untranslated. */
    readonly bypass: boolean;
    readonly endpoints: readonly ListedEndpoint[];
    readonly domains: readonly ListedDomain[];
  }[];
}

export interface StatResult {
  readonly iommus: readonly {
    readonly iommu: number;
    /** By name, in lower case; `byStatus` has the statuses that came. */
    readonly requests: Readonly<
      Record<
        string,
        { readonly total: number; readonly byStatus: Readonly<Record<string, number>> }
      >
    >;
    /** Buffers that were given back unwritten. */
    readonly unanswered: number;
    readonly faults: number;
    readonly eventsDelivered: number;
    readonly eventsDropped: number;
  }[];
  readonly endpoints: readonly {
    readonly iommu: number;
    readonly endpoint: number;
    readonly device: string;
    readonly translatedBytes: number;
    readonly bypassedBytes: number;
    readonly faults: number;
  }[];
}

/** Ends are inclusive; `flags` are VIRTIO_IOMMU_MAP_F_*. */
export interface DumpedMapping {
  readonly virtStart: number;
  readonly virtEnd: number;
  readonly physStart: number;
  readonly flags: number;
}

export interface DumpResult {
  readonly iommu: number;
  readonly domain: number;
  /** In all of the domain. */
  readonly size: number;
  readonly mappings: readonly DumpedMapping[];
  /** What to give as `from` for those that follow; null at the end. */
  readonly next: number | null;
}

export interface TranslateResult {
  readonly iommu: number;
  readonly endpoint: number;
  readonly device: string;
  readonly address: number;
  readonly access: 'read' | 'write';
  readonly domain: number | null;
  /** The access goes by untranslated. */
  readonly bypass: boolean;
  /** What stage 1 makes of it; null when it is refused there. */
  readonly guestPhysical: number | null;
  /** Of a device that is passed through: where the VMM has that memory, and where the host has it. */
  readonly userAddress?: number | null;
  readonly hostPhysical?: number | null;
  /** Why the access would be a fault; null when it would not. */
  readonly refused: string | null;
}

export interface FaultResult {
  readonly device: string;
  /** VIRTIO_IOMMU_FAULT_R_*, in words. */
  readonly reason: string;
  /** Whether the guest had given a buffer for the report. */
  readonly delivered: boolean;
}

export interface RulesResult {
  readonly rules: readonly RuleState[];
}

/** What a client that watches is told. `text` says it in one line. */
export interface ControlEvent {
  readonly event: 'request' | 'attached' | 'detached' | 'fault' | 'reset' | 'injected';
  readonly iommu: number;
  readonly text: string;
  /** The rest is the event's own. */
  readonly [field: string]: unknown;
}
