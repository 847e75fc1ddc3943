/** Virtio over MMIO by the suite of every transport, with a signal as the standard has it and with one that ends when read. */
import type { MappedMemory } from '@viommu/virtqueue';
import type { VirtioDevice } from '@viommu/virtqueue/device';
import { type TransportSubject, transportSuite } from '@viommu/virtqueue/testing';
import { createMmioDriverTransport } from './driver/index.ts';
import { createVirtioMmioDevice } from './virtio-mmio-device.ts';

function subject(
  device: VirtioDevice,
  memory: MappedMemory,
  deassertWhenRead: boolean,
): TransportSubject {
  const mmio = createVirtioMmioDevice({ device, packed: true });
  let interrupts = 0;
  mmio.connect({
    memory,
    deassertWhenRead,
    setInterrupt(asserted) {
      if (asserted) interrupts += 1;
    },
  });
  const transport = createMmioDriverTransport(mmio);
  return {
    transport,
    service: () => mmio.service(),
    takeInterrupts() {
      transport.acknowledgeInterrupt();
      const count = interrupts;
      interrupts = 0;
      return count;
    },
  };
}

transportSuite('MMIO', (device, memory) => subject(device, memory, false));
transportSuite('MMIO whose host wants the signal deasserted when read', (device, memory) =>
  subject(device, memory, true),
);
