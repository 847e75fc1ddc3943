/** An endpoint's view of memory, by the suite of every memory: each page is a mapping, and lies somewhere else. */
import { ArrayGuestMemory } from '@viommu/virtqueue';
import { guestMemorySuite, InvisibleGuestMemory, testPage } from '@viommu/virtqueue/testing';
import { createTestDevice } from '../testing/test-device.ts';

const READ = 1;
const WRITE = 2;

function subject() {
  const physical = new Uint8Array(0x8000);
  physical.set(testPage(0x2000), 0x1000);
  physical.set(testPage(0x1000), 0x4000);
  physical.set(testPage(0x3000), 0x5000);
  physical.set(testPage(0x5000), 0x7000);
  const { device, driver } = createTestDevice({ bootBypass: false });
  driver.attach(1, 8);
  driver.map(1, 0x2000, 0x2fff, 0x10_1000, READ | WRITE);
  driver.map(1, 0x1000, 0x1fff, 0x10_4000, READ | WRITE);
  driver.map(1, 0x3000, 0x3fff, 0x10_5000, READ | WRITE);
  driver.map(1, 0x5000, 0x5fff, 0x10_7000, READ);
  return {
    memory: new ArrayGuestMemory([{ base: 0x10_0000, buffer: physical.buffer }]),
    device,
    removeMiddlePage: () => driver.unmap(1, 0x2000, 0x2fff),
  };
}

guestMemorySuite('an endpoint', () => {
  const { memory, device, removeMiddlePage } = subject();
  return { memory: device.endpointMemory(8, memory), removeMiddlePage };
});

guestMemorySuite('an endpoint of a VMM that shares no memory', () => {
  const { memory, device, removeMiddlePage } = subject();
  return { memory: device.endpointMemory(8, new InvisibleGuestMemory(memory)), removeMiddlePage };
});
