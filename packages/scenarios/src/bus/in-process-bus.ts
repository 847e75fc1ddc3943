/** InProcessBus: plugs PCI functions into memory of this process and lets them work: the smallest VMM there is. */
import type { PciFunction, PciHost } from '@viommu/transport-pci';
import type { MappedMemory } from '@viommu/virtqueue';
import type { DriverTransport } from '@viommu/virtqueue/driver';
import type { InProcessDriver, InProcessTransport } from './in-process-transport.ts';

export class InProcessBus {
  /** Interrupts so far, by a message or by asserting a line. */
  interrupts = 0;
  readonly #functions: readonly PciFunction[];
  readonly #transport: InProcessTransport;
  readonly #drivers: InProcessDriver[] = [];
  /** Of the interrupts so far, those that the drivers have handled. A line that stays asserted brings no other. */
  #handled = 0;

  /** @param transport that of the virtio devices among the functions */
  constructor(
    functions: readonly PciFunction[],
    memory: MappedMemory,
    transport: InProcessTransport,
  ) {
    this.#functions = functions;
    this.#transport = transport;
    const host: PciHost = {
      memory,
      ownsMsixTable: false,
      signalMsix: () => {
        this.interrupts += 1;
      },
      setIntx: (asserted) => {
        if (asserted) this.interrupts += 1;
      },
    };
    for (const pciFunction of functions) pciFunction.connect(host);
  }

  /** How a driver reaches one of the virtio devices. */
  transportOf(pciFunction: PciFunction): DriverTransport {
    const driver = this.#transport.createDriver(pciFunction);
    this.#drivers.push(driver);
    return driver.transport;
  }

  /** Lets every function do its work. Answers whether one of them has interrupted, as a driver that waits wants to know. */
  readonly wait = (): boolean => {
    for (let workLeft = true; workLeft; ) {
      workLeft = false;
      for (const pciFunction of this.#functions) workLeft = pciFunction.service() || workLeft;
    }
    if (this.interrupts === this.#handled) return false;
    this.#handled = this.interrupts;
    for (const driver of this.#drivers) driver.handleInterrupt();
    return true;
  };

  /** Unplugs the functions. */
  close(): void {
    for (const pciFunction of this.#functions) pciFunction.disconnect();
  }
}
