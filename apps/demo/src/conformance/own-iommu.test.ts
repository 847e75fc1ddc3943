/** VirtioIommuDevice by the black-box suite of IOMMUs: over PCI and over MMIO, split and packed, with pages and with bytes. */
import { VirtioIommuDevice, type VirtioIommuOptions } from '@viommu/iommu-core';
import { type IommuUnderTest, iommuSuite } from '@viommu/iommu-core/testing';
import { simBackend } from '@viommu/pviommu-sim';
import type { CaseOutcome } from '@viommu/virtqueue/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { overMmio, overPci } from './fixtures/own-device.ts';

const ENDPOINTS = [8, 9] as const;
const RESERVED = [
  { subtype: 1, start: 0xfee0_0000, end: 0xfeef_ffff },
  { subtype: 0, start: 0x8_0000_0000, end: 0x8_0000_3fff },
];
const MAX_MAPPINGS = 64;

type Options = Omit<VirtioIommuOptions, 'endpoints'>;

const BUSES = { PCI: overPci, MMIO: overMmio } as const;
type Way = readonly [bus: keyof typeof BUSES, layout: 'split' | 'packed'];

const SET_UPS: readonly [name: string, options: Options, ways: readonly Way[]][] = [
  [
    '4 KiB',
    { backend: simBackend({ pageSizeMask: ~0xfffn & (2n ** 64n - 1n) }) },
    [
      ['PCI', 'split'],
      ['PCI', 'packed'],
      ['MMIO', 'split'],
      ['MMIO', 'packed'],
    ],
  ],
  [
    'bytes',
    { backend: simBackend({ pageSizeMask: 2n ** 64n - 1n }) },
    [
      ['PCI', 'split'],
      ['MMIO', 'packed'],
    ],
  ],
  [
    'narrow ranges',
    {
      backend: simBackend({ pageSizeMask: 0x201000n }),
      domainRange: { start: 16, end: 31 },
      inputRange: { start: 0x1_0000, end: 0x1f_ffff_ffff },
      probeSize: 64,
    },
    [
      ['PCI', 'packed'],
      ['MMIO', 'split'],
    ],
  ],
];

const outcomes: CaseOutcome[] = [];

for (const [what, options, ways] of SET_UPS) {
  for (const [bus, layout] of ways) {
    const subject = { create: () => createIommu(options, bus), packed: layout === 'packed' };
    iommuSuite(`${what}, over ${bus}, ${layout}`, subject, {
      onOutcome: (outcome) => outcomes.push(outcome),
    });
  }
}

describe('all of them together', () => {
  afterAll(() => {
    outcomes.length = 0;
  });

  it('try each case somewhere, and depart nowhere', () => {
    const passed = new Set(outcomes.filter(({ result }) => result === 'passed').map(nameOf));
    expect(outcomes.map(nameOf).filter((name) => !passed.has(name))).toEqual([]);
    expect(outcomes.filter(({ result }) => result === 'departed')).toEqual([]);
  });
});

function nameOf({ name }: CaseOutcome): string {
  return name;
}

/** Two endpoints behind a device of this process. */
function createIommu(options: Options, bus: keyof typeof BUSES): IommuUnderTest {
  let iommu!: VirtioIommuDevice;
  const endpoints = ENDPOINTS.map((id) => ({ id, reserved: RESERVED }));
  const device = BUSES[bus](
    () => new VirtioIommuDevice({ ...options, endpoints, maxMappings: MAX_MAPPINGS }),
    (plugged) => {
      iommu = plugged;
    },
  );
  const memoryOf = (endpoint: number) => iommu.endpointMemory(endpoint, device.memory);
  return {
    ...device,
    ...{ endpoints: ENDPOINTS, absentEndpoint: 444, maxMappings: MAX_MAPPINGS },
    dma: {
      write: (endpoint, address, length) =>
        memoryOf(endpoint).write(address, new Uint8Array(length).fill(0xa5), 0, length),
      read(endpoint, address, length) {
        const bytes = new Uint8Array(length);
        return memoryOf(endpoint).read(address, bytes, 0, length) ? bytes : undefined;
      },
    },
  };
}
