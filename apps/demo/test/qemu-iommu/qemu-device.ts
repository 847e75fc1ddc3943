/** Adapters for the black-box suites: virtio devices of QEMU, and its virtio-iommu with two endpoints that do DMA. */
import type { IommuUnderTest } from '@viommu/iommu-core/testing';
import { createPciDriverTransport } from '@viommu/transport-pci/driver';
import { type GuestMemory, WINDOW_INVISIBLE } from '@viommu/virtqueue';
import type { DeviceUnderTest } from '@viommu/virtqueue/testing';
import type { QemuProgram } from '../../src/guest/qemu-program.ts';
import { Qtest } from './qtest.ts';
import { QtestPci } from './qtest-pci.ts';

const IOMMU_SLOT = 4;
const ENDPOINT_SLOTS = [5, 6] as const;
/** Behind what a PC has below 1 MiB. */
const PLACE = { start: 0x10_0000, length: 0x20_0000 } as const;
const MEMORY_MEBIBYTES = 16;
const [QUEUE_INTERRUPT, CONFIG_INTERRUPT] = [1, 2];

/** QEMU's iommu-testdev: writes a pattern of its own, and says whether it got through. Offsets in BAR 0. */
const TESTDEV = { trigger: 0, low: 4, high: 8, length: 0xc, result: 0x10, arm: 0x14 } as const;
const TX_FAIL = 0xdead_0002;

/** Memory over messages: nothing is seen in place. */
class QtestMemory implements GuestMemory {
  readonly generation = 0;
  readonly isShared = false;
  readonly #qtest: Qtest;

  constructor(qtest: Qtest) {
    this.#qtest = qtest;
  }

  window(): number {
    return WINDOW_INVISIBLE;
  }

  read(address: number, target: Uint8Array, targetOffset: number, length: number): boolean {
    target.set(this.#qtest.readMemory(address, length), targetOffset);
    return true;
  }

  write(address: number, source: Uint8Array, sourceOffset: number, length: number): boolean {
    this.#qtest.writeMemory(address, source.subarray(sourceOffset, sourceOffset + length));
    return true;
  }
}

/** Starts a QEMU with one device, as `-device` has it, and leaves its functions to the caller. */
function start(qemu: QemuProgram, devices: readonly string[]): Qtest {
  return new Qtest(qemu, [
    ...['-machine', 'q35', '-m', `${MEMORY_MEBIBYTES}`],
    ...devices.flatMap((device) => ['-device', device]),
  ]);
}

export interface QemuIommuOptions {
  /** Such as `aw-bits=48`; none by default. */
  readonly properties?: string;
}

/** QEMU's virtio-iommu-pci, with two of QEMU's iommu-testdev behind it. */
export function qemuIommu(
  qemu: QemuProgram,
  { properties }: QemuIommuOptions = {},
): IommuUnderTest {
  const iommu = ['virtio-iommu-pci', `addr=${IOMMU_SLOT}`, ...(properties ? [properties] : [])];
  const qtest = start(qemu, [
    iommu.join(','),
    ...ENDPOINT_SLOTS.map((slot) => `iommu-testdev,addr=${slot}`),
  ]);
  const endpoints = ENDPOINT_SLOTS.map((slot) => slot << 3);
  const functions = new Map(endpoints.map((bdf) => [bdf, new QtestPci(qtest, bdf)]));
  return {
    ...virtioDevice(qtest),
    endpoints: endpoints as [number, number],
    absentEndpoint: 444,
    dma: {
      write(endpoint, address, length) {
        const pci = functions.get(endpoint)!;
        const write = (register: number, value: number) => pci.writeBar(0, register, 4, value);
        write(TESTDEV.low, address % 2 ** 32);
        write(TESTDEV.high, Math.floor(address / 2 ** 32));
        write(TESTDEV.length, length);
        write(TESTDEV.arm, 1);
        pci.readBar(0, TESTDEV.trigger, 4);
        return pci.readBar(0, TESTDEV.result, 4) !== TX_FAIL;
      },
    },
  };
}

function virtioDevice(qtest: Qtest): DeviceUnderTest {
  const pci = new QtestPci(qtest, IOMMU_SLOT << 3);
  const isr = findIsr(pci);
  let events = 0;
  return {
    transport: createPciDriverTransport(pci),
    memory: new QtestMemory(qtest),
    place: PLACE,
    // Without a thread of its own the device has done its work when the kick is answered.
    run() {},
    takeInterrupt(source) {
      // "Device MUST clear ISR status on read".
      events |= pci.readBar(isr.bar, isr.offset, 1);
      const event = source === 'config' ? CONFIG_INTERRUPT : QUEUE_INTERRUPT;
      const taken = (events & event) !== 0;
      events &= ~event;
      return taken;
    },
    close: () => qtest.close(),
  };
}

/** VIRTIO_PCI_CAP_ISR_CFG. */
function findIsr(pci: QtestPci): { bar: number; offset: number } {
  const [FIRST, NEXT, CFG_TYPE, BAR, OFFSET] = [0x34, 1, 3, 4, 8];
  const [VENDOR_SPECIFIC, ISR_CFG] = [9, 3];
  for (let at = pci.readConfig(FIRST, 1); at !== 0; at = pci.readConfig(at + NEXT, 1)) {
    const isVirtio = pci.readConfig(at, 1) === VENDOR_SPECIFIC;
    if (isVirtio && pci.readConfig(at + CFG_TYPE, 1) === ISR_CFG) {
      return { bar: pci.readConfig(at + BAR, 1), offset: pci.readConfig(at + OFFSET, 4) };
    }
  }
  throw new Error('the function has no ISR structure');
}
