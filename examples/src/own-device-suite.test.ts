/** The suite about rings, on a device of one's own: everything that a driver can do right and wrong, from outside. */
import { createVirtioMmioDevice } from '@viommu/transport-mmio';
import { createMmioDriverTransport } from '@viommu/transport-mmio/driver';
import { ArrayGuestMemory } from '@viommu/virtqueue';
import { type DeviceUnderTest, deviceRingSuite } from '@viommu/virtqueue/testing';
import { Doubler } from './doubler.ts';

const PLACE = { start: 0x1_0000, length: 0x10_0000 };

/** Of a VMM in another process, the same with calls that wait for its answers: see the README of `@viommu/virtqueue`. */
function create(): DeviceUnderTest {
  const buffer = new ArrayBuffer(PLACE.start + PLACE.length);
  const memory = new ArrayGuestMemory([{ base: 0, buffer }]);
  const mmio = createVirtioMmioDevice({ device: new Doubler(), packed: true });
  mmio.connect({ memory, deassertWhenRead: false, setInterrupt() {} });
  return {
    transport: createMmioDriverTransport(mmio),
    memory,
    place: PLACE,
    run() {
      while (mmio.service()) {}
    },
  };
}

deviceRingSuite('the example', {
  create,
  harmlessRequest: {
    queue: 0,
    readable: [21],
    writable: 1,
    usedLength: 1,
    isAnswer: ([byte]) => byte === 42,
  },
});
