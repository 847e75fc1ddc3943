/** A guest learns from the IOMMU itself what is behind it, over every transport, and brings it up afterwards. */
import { VirtioIommuDevice } from '@viommu/iommu-core';
import { AddressAllocator, DmaDomain, discoverTopology, IommuDriver } from '@viommu/iommu-driver';
import { simBackend } from '@viommu/pviommu-sim';
import {
  InProcessBus,
  type InProcessTransport,
  MMIO_TRANSPORT,
  PCI_TRANSPORT,
} from '@viommu/scenarios';
import { encodeInDevice, type Topology } from '@viommu/viot';
import { ArrayGuestMemory } from '@viommu/virtqueue';
import { describe, expect, it } from 'vitest';

const OVER: [string, InProcessTransport][] = [
  ['PCI', PCI_TRANSPORT],
  ['MMIO', MMIO_TRANSPORT],
];

const DISK = 0x10028;
const IN_DEVICE = { feature: 20, offset: 40 };
const TOPOLOGY: Topology = {
  iommus: [
    { kind: 'pci', segment: 0, bdf: 0x20 },
    { kind: 'pci', segment: 0, bdf: 0x30 },
  ],
  endpoints: [
    { ...buses(0, 1), bdfStart: 0, bdfEnd: 0xff, endpointStart: 0, iommu: 0 },
    { ...buses(2, 2), bdfStart: 0, bdfEnd: 0xffff, endpointStart: 0, iommu: 1 },
    { kind: 'mmio', base: 0x1c00_0000, endpoint: 0x30000, iommu: 0 },
  ],
};

function buses(segmentStart: number, segmentEnd: number) {
  return { kind: 'pci', segmentStart, segmentEnd } as const;
}

function createMachine(over: InProcessTransport, options: { isTold: boolean }) {
  const bytes = encodeInDevice(TOPOLOGY, 0, { headOffset: IN_DEVICE.offset });
  const device = new VirtioIommuDevice({
    backend: simBackend(),
    endpoints: [{ id: DISK }],
    ...(options.isTold ? { topology: { ...IN_DEVICE, bytes } } : {}),
  });
  const memory = new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(0x10_0000) }]);
  const iommu = over.createFunction({ device });
  const bus = new InProcessBus([iommu], memory, over);
  return { device, memory, transport: bus.transportOf(iommu), wait: bus.wait };
}

describe.each(OVER)('the topology in the device, over %s', (_, over) => {
  it('is there before any feature was accepted', () => {
    const { transport } = createMachine(over, { isTold: true });
    expect(discoverTopology(transport, IN_DEVICE)).toEqual([
      { ...buses(0, 0), bdfStart: 0, bdfEnd: 0xff, endpointStart: 0, iommu: 0 },
      { ...buses(1, 1), bdfStart: 0, bdfEnd: 0xff, endpointStart: 0x10000, iommu: 0 },
      { kind: 'mmio', base: 0x1c00_0000, endpoint: 0x30000, iommu: 0 },
    ]);
    expect(transport.readStatus()).toBe(0);
  });

  it('is not there by default', () => {
    const { transport, device } = createMachine(over, { isTold: false });
    expect(device.configSize).toBe(40);
    expect(discoverTopology(transport, IN_DEVICE)).toBeUndefined();
  });

  it('leaves the device as a driver that knows nothing of it expects it', () => {
    const { transport, wait, device, memory } = createMachine(over, { isTold: true });
    discoverTopology(transport, IN_DEVICE);
    const pages = new AddressAllocator(0x1_0000, 0xf_ffff, 4096);
    const driver = new IommuDriver({ transport, memory, pages, wait });
    expect(driver.features & (1n << 20n)).toBe(0n);
    const dma = new DmaDomain({ driver, domain: 1, pages });
    dma.attach(DISK);
    const buffer = dma.allocate(4096);
    memory.write(buffer.address, Uint8Array.of(1, 2, 3), 0, 3);
    const back = new Uint8Array(3);
    expect(device.endpointMemory(DISK, memory).read(buffer.deviceAddress, back, 0, 3)).toBe(true);
    expect(back).toEqual(Uint8Array.of(1, 2, 3));
    driver.setBypass(false);
    expect(transport.readConfig(36, 1)).toBe(0);
  });
});
