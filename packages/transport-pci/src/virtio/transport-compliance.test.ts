/** Virtio over PCI by the suite of every transport: with INTx, with MSI-X, and with a host that keeps the MSI-X table. */

import type { MappedMemory } from '@viommu/virtqueue';
import type { VirtioDevice } from '@viommu/virtqueue/device';
import { type TransportSubject, transportSuite } from '@viommu/virtqueue/testing';
import { createPciDriverTransport } from '../driver/index.ts';
import { ISR_OFFSET } from './capabilities.ts';
import { createVirtioPciFunction } from './virtio-pci-function.ts';

function subject(
  device: VirtioDevice,
  memory: MappedMemory,
  { messages, ownsMsixTable = false }: { messages: number; ownsMsixTable?: boolean },
): TransportSubject {
  const pci = createVirtioPciFunction({ device, packed: true });
  let interrupts = 0;
  pci.connect({
    memory,
    ownsMsixTable,
    signalMsix() {
      interrupts += 1;
    },
    setIntx(asserted) {
      if (asserted) interrupts += 1;
    },
  });
  const transport = createPciDriverTransport(pci);
  if (messages > 0) {
    transport.useMsix(
      Array.from({ length: messages }, (_, data) => ({ address: 0xfee0_0000, data })),
    );
  }
  return {
    transport,
    service: () => pci.service(),
    takeInterrupts() {
      // "Device MUST clear ISR status on read", and with it the line.
      pci.readBar(0, ISR_OFFSET, 1);
      const count = interrupts;
      interrupts = 0;
      return count;
    },
  };
}

transportSuite('PCI with INTx', (device, memory) => subject(device, memory, { messages: 0 }));
transportSuite('PCI with one message', (device, memory) =>
  subject(device, memory, { messages: 1 }),
);
transportSuite('PCI with a message for each queue', (device, memory) =>
  subject(device, memory, { messages: 3 }),
);
transportSuite('PCI whose host keeps the MSI-X table', (device, memory) =>
  subject(device, memory, { messages: 3, ownsMsixTable: true }),
);
