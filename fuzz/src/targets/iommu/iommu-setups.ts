/** The devices that inputs choose from. */
import type { BackendFactory } from '@viommu/iommu-core';
import { simBackend } from '@viommu/pviommu-sim';
import type { Limits, Reserved } from '../../models/iommu-rules.ts';
import { passedThroughBackend } from './passed-through.ts';

export interface IommuSetup {
  readonly limits: Limits;
  /** The last address that a device can emit, where there is an end to that. */
  readonly reach?: number;
  readonly mmio: boolean;
  readonly probeSize: number;
  /** Below the device, anew for each. */
  backend(): BackendFactory;
  /** What an endpoint of this ID has reserved. */
  reserved(endpoint: number): readonly Reserved[];
}

/** There from the start; 11 can come. */
export const FIRST_ENDPOINTS = [8, 9, 10];
/** From this ID on endpoints have something reserved, all of them the same. */
const FIRST_RESERVING = 10;

export const SETUPS: readonly IommuSetup[] = [
  // A small one, of which requests near the ends are likely.
  {
    limits: {
      granule: 16,
      input: { start: 0x10, end: 0x3ff },
      domain: { start: 0, end: 3 },
      maxMappings: 6,
    },
    backend: () => simBackend({ pageSizeMask: 0x10n, inputBits: 12 }),
    mmio: true,
    probeSize: 48,
    reserved: (endpoint) =>
      endpoint >= FIRST_RESERVING
        ? [
            { subtype: 0, start: 0x40, end: 0x5f },
            { subtype: 1, start: 0x100, end: 0x10f },
          ]
        : [],
  },
  // A usual one.
  {
    limits: {
      granule: 4096,
      input: { start: 0, end: 2 ** 48 - 1 },
      domain: { start: 0, end: 2 ** 32 - 1 },
      maxMappings: 40,
    },
    backend: () => simBackend({ pageSizeMask: 0x4020_1000n, inputBits: 48 }),
    mmio: true,
    probeSize: 512,
    reserved: (endpoint) =>
      endpoint >= FIRST_RESERVING ? [{ subtype: 1, start: 0xfee0_0000, end: 0xfeef_ffff }] : [],
  },
  // Mappings of single bytes, as far as addresses go.
  {
    limits: {
      granule: 1,
      input: { start: 1, end: 2 ** 52 - 1 },
      domain: { start: 2, end: 3 },
      maxMappings: 24,
    },
    backend: () => simBackend({ pageSizeMask: 1n, inputBits: 52 }),
    mmio: false,
    probeSize: 0,
    reserved: () => [],
  },
  // Devices of the host, behind its IOMMU: the same, as long as the guest's memory is all that there is.
  {
    limits: {
      granule: 4096,
      input: { start: 0, end: 2 ** 40 - 1 },
      domain: { start: 0, end: 2 ** 32 - 1 },
      maxMappings: 40,
    },
    backend: passedThroughBackend,
    reach: 2 ** 48 - 1,
    mmio: true,
    probeSize: 512,
    reserved: (endpoint) =>
      endpoint >= FIRST_RESERVING ? [{ subtype: 1, start: 0xfee0_0000, end: 0xfeef_ffff }] : [],
  },
];
