/** Guest memory by DMA_MAP, by the suite of every memory: in place, and by messages. */
import { writeSync } from 'node:fs';
import { requireLibc } from '@viommu/linux-io';
import { guestMemorySuite, testPage } from '@viommu/virtqueue/testing';
import { closeFd, memfd } from '../testing-client/test-client.ts';
import { DmaMemory, type DmaMessages } from './dma-memory.ts';
import { GuestRamPool } from './guest-ram.ts';

const READ = 1;
const WRITE = 2;
/** Where the pages lie in the file, or behind the messages: not in order. */
const PLACES = new Map([
  [0x1000, 0x4000],
  [0x2000, 0x5000],
  [0x3000, 0x1000],
  [0x5000, 0x7000],
]);

function refuse(): boolean {
  throw new Error('a message for memory that is shared');
}

guestMemorySuite('DmaMemory, shared', () => {
  const pool = new GuestRamPool(requireLibc());
  const memory = new DmaMemory(pool, { readDma: refuse, writeDma: refuse });
  const file = memfd(0x8000);
  for (const [page, offset] of PLACES) {
    writeSync(file, testPage(page), 0, 0x1000, offset);
    memory.map(page, 0x1000, page === 0x5000 ? READ : READ | WRITE, file, offset);
  }
  return {
    memory,
    removeMiddlePage: () => memory.unmap(0x2000, 0x1000),
    close: () => {
      memory.unmapAll();
      pool.releaseIdle();
      closeFd(file);
    },
  };
});

guestMemorySuite('DmaMemory, by messages', () => {
  const client = new Uint8Array(0x10000);
  const messages: DmaMessages = {
    readDma(address, target, targetOffset, length) {
      target.set(client.subarray(address, address + length), targetOffset);
      return true;
    },
    writeDma(address, source, sourceOffset, length) {
      client.set(source.subarray(sourceOffset, sourceOffset + length), address);
      return true;
    },
  };
  const memory = new DmaMemory(new GuestRamPool(requireLibc()), messages);
  for (const page of PLACES.keys()) {
    client.set(testPage(page), page);
    memory.map(page, 0x1000, page === 0x5000 ? READ : READ | WRITE);
  }
  return { memory, removeMiddlePage: () => memory.unmap(0x2000, 0x1000) };
});
