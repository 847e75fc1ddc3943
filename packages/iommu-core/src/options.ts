/** Options of the device: their defaults, and the checks that tell a host program what it got wrong. */
import { type Logger, VirtioError } from '@viommu/virtqueue';
import type { BackendCapabilities, BackendFactory } from './backend.ts';
import type { IommuInjector } from './injector.ts';
import type { IommuObserver } from './observer.ts';
import type { ConfigExtension } from './protocol/config-extension.ts';
import { encodeProbeProperties } from './protocol/probe-properties.ts';
import { Endpoint } from './state/domain.ts';
import type { IommuLimits } from './state/iommu-state.ts';
import { checkReservedRegions, type ReservedRegion } from './state/reserved-region.ts';

const DEFAULT_INPUT_END = 2 ** 48 - 1;
const DEFAULT_PROBE_SIZE = 512;
const DEFAULT_MAX_MAPPINGS = 2 ** 20;
/** What a table of mappings can number. */
const MAX_MAPPINGS_MAX = 2 ** 24;
const PROBE_SIZE_MAX = 65536;
const POLL_MICROSECONDS_MAX = 1000;
const UINT32_MAX = 2 ** 32 - 1;

/** An endpoint that the device manages. */
export interface EndpointOptions {
  /** A 32-bit number; for a PCI function usually what the topology table makes of its bus, device and function. */
  readonly id: number;
  /** What the driver must not map for it; none by default. On x86 the MSI window 0xfee00000 to 0xfeefffff belongs here. */
  readonly reserved?: readonly ReservedRegion[];
}

/** Ends of ranges are inclusive; addresses and sizes are in bytes. */
export interface VirtioIommuOptions {
  readonly backend: BackendFactory;
  /** Those that are there from the start; others can be added later. */
  readonly endpoints: readonly EndpointOptions[];
  /** `page_size_mask`: the lowest bit is the granule, from one byte up. By default, and at the finest, the backend's. */
  readonly pageSizeMask?: bigint;
  /** Virtual addresses that can be mapped; by default 0 to 2^48 - 1, or as far as the backend goes. */
  readonly inputRange?: { readonly start: number; readonly end: number };
  /** Domain IDs; by default all. Linux wants the range to start at 0 and to have at least two. */
  readonly domainRange?: { readonly start: number; readonly end: number };
  /** Size of the property list in PROBE; 512 by default. Each reserved region takes 24. */
  readonly probeSize?: number;
  /** Whether unattached endpoints bypass from system reset on, as firmware without a driver needs; true by default. */
  readonly bootBypass?: boolean;
  /** Whether to offer VIRTIO_IOMMU_F_MMIO; by default if the backend can. */
  readonly mmio?: boolean;
  /** Mappings that the guest may have at once, in all domains together; 2^20 by default, 2^24 at most. */
  readonly maxMappings?: number;
  /**
   * Microseconds for which the request queue is polled at most when it has run empty; 0 by default, 1000 at most. A driver
   * waits for the answer to each request before it makes the next, so this saves most kicks and wake-ups of a burst; leave
   * it at 0 unless the driver runs on another core.
   */
  readonly pollMicroseconds?: number;
  /**
   * Which devices are behind this IOMMU, as bytes that the driver reads from the device itself, where neither ACPI nor a
   * device tree says it; not offered by default. It is no part of the standard, so feature bit and place are for you and
   * your guest to agree on. `encodeInDevice` of `@viommu/viot` makes such bytes.
   */
  readonly topology?: ConfigExtension;
  readonly observer?: IommuObserver;
  /** For tests of drivers; see {@link IommuInjector}. */
  readonly injector?: IommuInjector;
  readonly logger?: Logger;
}

/**
 * @param taken whether the device has an endpoint with the ID already
 * @throws VirtioError ENDPOINTS, RESERVED_REGION, PROBE_SIZE
 */
export function makeEndpoint(
  { id, reserved = [] }: EndpointOptions,
  taken: boolean,
  probeSize: number,
): Endpoint {
  if (!isWithin(id, 0, UINT32_MAX) || taken) {
    throw new VirtioError('ENDPOINTS', `endpoint ${id}: give each its own 32-bit ID`);
  }
  checkReservedRegions(id, reserved);
  const properties = encodeProbeProperties(reserved);
  if (properties.length > probeSize) {
    throw new VirtioError(
      'PROBE_SIZE',
      `endpoint ${id}: its reserved regions need a probeSize of ${properties.length} or more`,
    );
  }
  return new Endpoint(id, reserved, properties);
}

/** @throws VirtioError PAGE_SIZE_MASK, when it is empty, finer than the backend's, or wider than 64 bits */
export function choosePageSizeMask(
  options: VirtioIommuOptions,
  capabilities: BackendCapabilities,
): bigint {
  const mask = options.pageSizeMask ?? capabilities.pageSizeMask;
  // The device MUST set at least one bit in page_size_mask.
  if (mask <= 0n || mask >> 64n !== 0n || lowestBit(mask) >= 1n << 52n) {
    throw new VirtioError(
      'PAGE_SIZE_MASK',
      `pageSizeMask 0x${mask.toString(16)}: set at least one bit below 2^52, and none above 2^63`,
    );
  }
  if (lowestBit(mask) < lowestBit(capabilities.pageSizeMask)) {
    throw new VirtioError(
      'PAGE_SIZE_MASK',
      `pageSizeMask 0x${mask.toString(16)} is finer than the backend's 0x${capabilities.pageSizeMask.toString(16)}`,
    );
  }
  return mask;
}

/** @throws VirtioError MAX_MAPPINGS */
export function checkMaxMappings(maxMappings: number): number {
  if (isWithin(maxMappings, 1, MAX_MAPPINGS_MAX)) return maxMappings;
  throw new VirtioError(
    'MAX_MAPPINGS',
    `maxMappings ${maxMappings}: choose 1 to ${MAX_MAPPINGS_MAX}`,
  );
}

/** @throws VirtioError INPUT_RANGE, DOMAIN_RANGE, PROBE_SIZE, MAX_MAPPINGS */
export function chooseLimits(
  options: VirtioIommuOptions,
  capabilities: BackendCapabilities,
  pageSizeMask: bigint,
): IommuLimits {
  const inputRange = options.inputRange ?? {
    start: 0,
    end: Math.min(DEFAULT_INPUT_END, capabilities.inputEnd),
  };
  if (!isRange(inputRange, Math.min(capabilities.inputEnd, 2 ** 52 - 1))) {
    throw new VirtioError(
      'INPUT_RANGE',
      `inputRange ${inputRange.start} to ${inputRange.end}: stay within 0 to ${capabilities.inputEnd}, the backend's end`,
    );
  }
  const domainRange = options.domainRange ?? { start: 0, end: UINT32_MAX };
  if (!isRange(domainRange, UINT32_MAX)) {
    throw new VirtioError(
      'DOMAIN_RANGE',
      `domainRange ${domainRange.start} to ${domainRange.end}: stay within 0 to ${UINT32_MAX}`,
    );
  }
  const probeSize = options.probeSize ?? DEFAULT_PROBE_SIZE;
  if (!isWithin(probeSize, 0, PROBE_SIZE_MAX)) {
    throw new VirtioError('PROBE_SIZE', `probeSize ${probeSize}: choose 0 to ${PROBE_SIZE_MAX}`);
  }
  const maxMappings = checkMaxMappings(options.maxMappings ?? DEFAULT_MAX_MAPPINGS);
  const granule = Number(lowestBit(pageSizeMask));
  return {
    granule,
    pagesPerByte: 1 / granule,
    inputRange,
    domainRange,
    probeSize,
    maxMappings,
  };
}

/** @throws VirtioError POLL_MICROSECONDS */
export function choosePollMicroseconds({ pollMicroseconds = 0 }: VirtioIommuOptions): number {
  if (!isWithin(pollMicroseconds, 0, POLL_MICROSECONDS_MAX)) {
    throw new VirtioError(
      'POLL_MICROSECONDS',
      `pollMicroseconds ${pollMicroseconds}: choose 0 to ${POLL_MICROSECONDS_MAX}; the thread does not sleep meanwhile`,
    );
  }
  return pollMicroseconds;
}

function isWithin(value: number, low: number, high: number): boolean {
  return Number.isSafeInteger(value) && value >= low && value <= high;
}

function isRange(range: { start: number; end: number }, limit: number): boolean {
  return isWithin(range.start, 0, limit) && isWithin(range.end, range.start, limit);
}

function lowestBit(mask: bigint): bigint {
  return mask & -mask;
}
