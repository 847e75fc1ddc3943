/** The example of the README is this file, and a driver finds the IOMMU and the disk in it. */
import { readFileSync } from 'node:fs';
import { BlockDriver } from '@viommu/devices/driver';
import { AddressAllocator, DmaDomain, IommuDriver } from '@viommu/iommu-driver';
import { createPciDriverTransport } from '@viommu/transport-pci/driver';
import { expect, it } from 'vitest';
import { functions, memory, plugIn, work } from './own-vmm.ts';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

it('is quoted in the README as it is', () => {
  const [, quoted] = /## In your own VMM\n\n```ts\n(.*?)```/s.exec(read('../../README.md')) ?? [];
  const [, ...lines] = read('./own-vmm.ts').split('\n');
  expect(quoted).toBe(lines.join('\n'));
});

it('is a disk behind an IOMMU', () => {
  const pages = new AddressAllocator(0x10_0000, 0x1f_ffff, 4096);
  let interrupts = 0;
  plugIn({
    signalMsix() {
      interrupts += 1;
    },
    setIntx() {},
  });
  const wait = () => {
    const before = interrupts;
    work();
    return interrupts !== before;
  };
  const [iommuTransport, diskTransport] = functions.map((pci) => {
    const transport = createPciDriverTransport(pci);
    transport.useMsix([{ address: 0xfee0_0000, data: 0 }]);
    return transport;
  });
  const driver = new IommuDriver({ transport: iommuTransport!, memory, pages, wait });
  const dma = new DmaDomain({ driver, domain: 1, pages });
  dma.attach(0x28);
  const disk = new BlockDriver({ transport: diskTransport!, memory, dma, wait });
  expect(disk.capacity).toBe(2048);
  const data = Uint8Array.from({ length: 1024 }, (_, index) => index & 0xff);
  disk.write(7, data);
  const back = new Uint8Array(1024);
  disk.read(7, back);
  expect(back).toEqual(data);
  expect(disk.getId()).toBe('mine');
  dma.detach(0x28);
  expect(() => disk.read(7, back)).toThrow(expect.objectContaining({ code: 'NO_ANSWER' }));
});
