/** The suite that every backend passes, and that the host's IOMMU has what the guest has mapped. */
import { VirtioIommuDevice } from '@viommu/iommu-core';
import { backendSuite } from '@viommu/iommu-core/testing';
import { AddressAllocator, IommuDriver } from '@viommu/iommu-driver';
import { createVirtioPciFunction } from '@viommu/transport-pci';
import { createPciDriverTransport } from '@viommu/transport-pci/driver';
import { ArrayGuestMemory } from '@viommu/virtqueue';
import { expect, it } from 'vitest';
import { type HostIommu, hostBackend } from './host-backend.ts';

/** Has room for so many mappings, and says what it has. */
class ListedHost implements HostIommu {
  readonly spaces = new Map<number, string[]>();
  readonly places = new Map<number, number | string>();
  readonly #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  createSpace(space: number): void {
    this.spaces.set(space, []);
  }

  destroySpace(space: number): void {
    this.spaces.delete(space);
  }

  map(space: number, start: number, length: number, physical: number, writable: boolean): boolean {
    const mappings = this.spaces.get(space)!;
    if (mappings.length === this.#room) return false;
    mappings.push(
      [start, length, physical].map((n) => n.toString(16)).join(' ') + (writable ? ' w' : ''),
    );
    return true;
  }

  unmap(space: number, start: number, length: number): void {
    const isKept = (mapping: string) => {
      const at = Number.parseInt(mapping, 16);
      return at < start || at >= start + length;
    };
    this.spaces.set(space, this.spaces.get(space)!.filter(isKept));
  }

  attach(endpoint: number, space: number | 'identity' | 'blocked'): void {
    this.places.set(endpoint, space);
  }
}

backendSuite('the example', (components) => hostBackend(new ListedHost(1e6))(components));

it('has the host map what the guest maps, and tells the guest when it cannot', () => {
  const host = new ListedHost(2);
  const memory = new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(1 << 20) }]);
  const pages = new AddressAllocator(0x1_0000, 0xf_ffff, 4096);
  const iommu = new VirtioIommuDevice({ backend: hostBackend(host), endpoints: [{ id: 8 }] });
  const pci = createVirtioPciFunction({ device: iommu });
  pci.connect({ memory, ownsMsixTable: false, signalMsix() {}, setIntx() {} });
  const transport = createPciDriverTransport(pci);
  const driver = new IommuDriver({ transport, memory, pages, wait: () => pci.service() || true });
  expect(host.places.get(8)).toBe('identity');
  driver.setBypass(false);
  expect(host.places.get(8)).toBe('blocked');
  driver.attach(1, 8);
  expect(host.places.get(8)).toBe(1);
  driver.map(1, 0x4000, 0x5fff, 0x8_0000, 3);
  driver.map(1, 0xf000, 0xffff, 0x9_0000, 1);
  expect(host.spaces.get(1)).toEqual(['4000 2000 80000 w', 'f000 1000 90000']);
  expect(() => driver.map(1, 0x6000, 0x6fff, 0, 3)).toThrow(
    expect.objectContaining({ code: 'S_NOMEM' }),
  );
  driver.unmap(1, 0, 0xefff);
  expect(host.spaces.get(1)).toEqual(['f000 1000 90000']);
  driver.detach(1, 8);
  expect([host.spaces.size, host.places.get(8)]).toEqual([0, 'blocked']);
});
