/** InProcessBus: plugs PCI functions into memory of this process and lets them work: the smallest VMM there is. */
import type { PciFunction, PciHost } from '@viommu/transport-pci';
import { createPciDriverTransport, type PciDriverTransport } from '@viommu/transport-pci/driver';
import type { MappedMemory } from '@viommu/virtqueue';

/** Where x86 machines send message-signalled interrupts. */
const MSI_ADDRESS = 0xfee0_0000;

export class InProcessBus {
  /** Message-signalled interrupts so far. */
  interrupts = 0;
  readonly #functions: readonly PciFunction[];

  constructor(functions: readonly PciFunction[], memory: MappedMemory) {
    this.#functions = functions;
    const host: PciHost = {
      memory,
      ownsMsixTable: false,
      signalMsix: () => {
        this.interrupts += 1;
      },
      setIntx() {},
    };
    for (const pciFunction of functions) pciFunction.connect(host);
  }

  /** How a driver reaches one of the functions. */
  transportOf(pciFunction: PciFunction): PciDriverTransport {
    const transport = createPciDriverTransport(pciFunction);
    transport.useMsix([{ address: MSI_ADDRESS, data: 0 }]);
    return transport;
  }

  /** Lets every function do its work. Answers whether one of them interrupted, as a driver that waits wants to know. */
  readonly wait = (): boolean => {
    const before = this.interrupts;
    for (let workLeft = true; workLeft; ) {
      workLeft = false;
      for (const pciFunction of this.#functions) workLeft = pciFunction.service() || workLeft;
    }
    return this.interrupts !== before;
  };

  /** Unplugs the functions. */
  close(): void {
    for (const pciFunction of this.#functions) pciFunction.disconnect();
  }
}
