/** The same device on both transports, behind one IOMMU. */

import { VirtioIommuDevice } from '@viommu/iommu-core';
import { AddressAllocator, DmaDomain, IommuDriver } from '@viommu/iommu-driver';
import { simBackend } from '@viommu/pviommu-sim';
import { createMmioDriverTransport } from '@viommu/transport-mmio/driver';
import { createVirtioPciFunction } from '@viommu/transport-pci';
import { createPciDriverTransport } from '@viommu/transport-pci/driver';
import { ArrayGuestMemory } from '@viommu/virtqueue';
import { expect, it } from 'vitest';
import { mmioDoubler, pciDoubler } from './doubler.ts';
import { RequestDriver } from './fixtures/request-driver.ts';

it('doubles on PCI and in the memory map, by mappings alone', () => {
  const memory = new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(1 << 20) }]);
  const pages = new AddressAllocator(0x1_0000, 0xf_ffff, 4096);
  const iommu = new VirtioIommuDevice({ backend: simBackend(), endpoints: [{ id: 8 }, { id: 9 }] });
  const iommuFunction = createVirtioPciFunction({ device: iommu });
  const pci = pciDoubler(iommu, 8);
  const mmio = mmioDoubler(iommu, 9);
  for (const one of [iommuFunction, pci]) {
    one.connect({ memory, ownsMsixTable: false, signalMsix() {}, setIntx() {} });
  }
  mmio.connect({ memory, deassertWhenRead: false, setInterrupt() {} });
  const work = () => {
    while ([iommuFunction, pci, mmio].map((one) => one.service()).includes(true)) {}
    return true;
  };

  const driver = new IommuDriver({
    transport: createPciDriverTransport(iommuFunction),
    memory,
    pages,
    wait: work,
  });
  const transports = [
    [8, createPciDriverTransport(pci)],
    [9, createMmioDriverTransport(mmio)],
  ] as const;
  const doubled = transports.map(([endpoint, transport]) => {
    const dma = new DmaDomain({ driver, domain: endpoint, pages });
    dma.attach(endpoint);
    const device = new RequestDriver(transport, memory, dma);
    const answers = [1, 100].map((number) => device.request(Uint8Array.of(number), 1, work)[0]);
    dma.detach(endpoint);
    expect(() => device.request(Uint8Array.of(1), 1, work)).toThrow('has not answered');
    return answers;
  });
  expect(doubled).toEqual([
    [2, 200],
    [2, 200],
  ]);
});
