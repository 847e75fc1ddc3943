/** The transports by which a driver in this process can reach a virtio device: over PCI, and over MMIO in a window of a BAR. */
import { createMmioWindowsFunction } from '@viommu/mmio-windows';
import { createVirtioMmioDevice } from '@viommu/transport-mmio';
import { createMmioDriverTransport } from '@viommu/transport-mmio/driver';
import {
  createVirtioPciFunction,
  PCI_COMMAND,
  PCI_COMMAND_MEMORY,
  type PciFunction,
} from '@viommu/transport-pci';
import { createPciDriverTransport } from '@viommu/transport-pci/driver';
import type { VirtioTransportOptions } from '@viommu/virtqueue/device';
import type { DriverTransport } from '@viommu/virtqueue/driver';

export interface InProcessDriver {
  readonly transport: DriverTransport;
  /** What the driver does when it was interrupted, before it looks at its queues. */
  readonly handleInterrupt: () => void;
}

export interface InProcessTransport {
  /** Makes the function that a virtio device is on the bus. */
  readonly createFunction: (options: VirtioTransportOptions) => PciFunction;
  /** How its driver reaches it, with interrupts on. */
  readonly createDriver: (pciFunction: PciFunction) => InProcessDriver;
}

/** Where x86 machines send message-signalled interrupts. */
const MSI_ADDRESS = 0xfee0_0000;
/** An ID of QEMU's vendor that no driver claims. */
const WINDOWS_IDS = { vendorId: 0x1b36, deviceId: 0xfff7 } as const;

export const PCI_TRANSPORT: InProcessTransport = {
  createFunction: createVirtioPciFunction,
  createDriver(pciFunction) {
    const transport = createPciDriverTransport(pciFunction);
    transport.useMsix([{ address: MSI_ADDRESS, data: 0 }]);
    return { transport, handleInterrupt() {} };
  },
};

export const MMIO_TRANSPORT: InProcessTransport = {
  createFunction: (options) =>
    createMmioWindowsFunction({ ...WINDOWS_IDS, windows: [createVirtioMmioDevice(options)] }),
  createDriver(pciFunction) {
    // What the guest's firmware does.
    pciFunction.writeConfig(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    const transport = createMmioDriverTransport({
      read: (offset, width) => pciFunction.readBar(0, offset, width),
      write: (offset, width, value) => pciFunction.writeBar(0, offset, width, value),
    });
    return { transport, handleInterrupt: () => transport.acknowledgeInterrupt() };
  },
};
