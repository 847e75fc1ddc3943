/** Scenario 2: a virtual disk behind the IOMMU: a driver does real I/O through its mappings, and meets its limits. */
import { BlockDriver } from '@viommu/devices/driver';
import { hexNumber } from '@viommu/inspector';
import { AddressAllocator, DmaDomain, IommuDriver, IommuRequestError } from '@viommu/iommu-driver';
import {
  createMachine,
  type MachineDescription,
  type MachineParts,
  standardMachine,
} from '@viommu/machine';
import { formatBdf } from '@viommu/viot';
import { ArrayGuestMemory, VirtioError } from '@viommu/virtqueue';
import { VIRTIO_CONFIG_S_NEEDS_RESET } from '@viommu/virtqueue/device';
import { InProcessBus } from '../bus/in-process-bus.ts';
import { type InProcessTransport, PCI_TRANSPORT } from '../bus/in-process-transport.ts';
import { hold } from '../hold.ts';
import type { ScenarioTeller } from '../scenario-teller.ts';

const RAM = { base: 0x4000_0000, length: 16 << 20 } as const;
const PAGE = 4096;
const SECTOR = 512;
const DOMAIN = 1;
const VIRTIO_BLK_T_IN = 0;
const VIRTIO_BLK_S_IOERR = 1;
const VIRTIO_IOMMU_RESV_MEM_T_MSI = 1;
const MSI_DOORBELL = 0xfee0_0000;

/** An IOMMU, and a disk behind it; which one, {@link DiskParts} say. */
export const DISK_MACHINE: MachineDescription = standardMachine({ disks: ['disk'], rng: false });

/** The disk, as its device has it and as it is seen past the device. */
export interface DiskParts extends MachineParts {
  /** SHA-256 of bytes, in hexadecimal. */
  sha256(bytes: Uint8Array): string;
  /** SHA-256 of what the disk holds in a range of bytes. */
  sha256OfDisk(start: number, length: number): string;
}

/** What was done, for the last lines and for tests. */
export interface DiskSummary {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly requests: number;
  readonly translatedBytes: number;
  readonly faults: number;
  readonly interrupts: number;
}

/**
 * @param transport that of the IOMMU and of the disk
 * @throws VirtioError `SCENARIO` when something does not hold that should
 */
export function playDisk(
  teller: ScenarioTeller,
  parts: DiskParts,
  transport: InProcessTransport = PCI_TRANSPORT,
): DiskSummary {
  const say = (text: string): void => teller.tell('driver', text);
  const machine = createMachine(DISK_MACHINE, {
    parts,
    observe: () => teller.observer,
    createFunction: transport.createFunction,
    ...(teller.observeQueues ? { observeQueues: teller.observeQueues } : {}),
  });
  const iommu = machine.iommus[0]!;
  const [iommuFunction, diskFunction] = machine.functions as [
    (typeof machine.functions)[number],
    (typeof machine.functions)[number],
  ];
  const endpoint = diskFunction.bdf;
  // No other thread looks at it, and a page need not be allowed to share memory.
  const memory = new ArrayGuestMemory([{ base: RAM.base, buffer: new ArrayBuffer(RAM.length) }]);
  const bus = new InProcessBus(
    machine.functions.map((entry) => entry.function),
    memory,
    transport,
  );
  teller.begin?.(machine);
  try {
    teller.chapter(
      `The driver finds a virtio-iommu at ${formatBdf(iommuFunction.bdf)}, and brings it up`,
    );
    const pages = new AddressAllocator(RAM.base, RAM.base + RAM.length - 1, PAGE);
    const driver = new IommuDriver({
      transport: bus.transportOf(iommuFunction.function),
      memory,
      pages,
      wait: bus.wait,
    });
    const { config } = driver;
    say(
      `agreed on features ${hexNumber(driver.features)}; pages of ${config.granule} bytes and more`,
    );
    say(
      `virtual addresses up to ${hexNumber(config.inputRange.end)}, ${config.domainRange.end + 1} domains`,
    );
    driver.setBypass(false);
    say('turned bypass off: an endpoint without a domain reaches nothing from here on');

    teller.chapter(`It asks about the disk at ${formatBdf(endpoint)}, and attaches it to a domain`);
    const dma = new DmaDomain({ driver, domain: DOMAIN, pages });
    for (const { start, end, subtype } of dma.attach(endpoint)) {
      const use = subtype === VIRTIO_IOMMU_RESV_MEM_T_MSI ? 'interrupts' : 'the platform';
      say(`keeps off ${hexNumber(start)}..${hexNumber(end)}, reserved for ${use}`);
    }

    teller.chapter(
      'The disk driver takes memory for its ring, its requests and its data; each piece is mapped',
    );
    const diskTransport = bus.transportOf(diskFunction.function);
    const disk = new BlockDriver({
      transport: diskTransport,
      memory,
      dma,
      wait: bus.wait,
    });
    say(`the disk '${disk.getId()}' has ${disk.capacity} sectors of ${SECTOR} bytes`);

    const counters = iommu.device.endpointCounters(endpoint);
    teller.chapter(`It reads the whole disk: real file I/O, each byte through the mappings`);
    const content = new Uint8Array(disk.capacity * SECTOR);
    disk.read(0, content);
    const checksum = parts.sha256(content);
    hold(
      checksum === parts.sha256OfDisk(0, content.length),
      'what was read is not what is in the file',
    );
    say(`${content.length} bytes, SHA-256 ${checksum.slice(0, 16)}…, as driver and file agree`);

    teller.chapter('It writes half of the disk, and flushes');
    const half = content.subarray(0, content.length / 2).map((byte) => byte ^ 0xff);
    disk.write(disk.capacity / 2, half);
    disk.flush();
    hold(
      parts.sha256(half) === parts.sha256OfDisk(content.length / 2, half.length),
      'what was written is not in the file',
    );
    say(
      `${half.length} bytes, SHA-256 ${parts.sha256(half).slice(0, 16)}…, found again in the file`,
    );
    hold(counters.bypassedBytes === 0, 'bytes of the disk went by the mappings');
    say(`${counters.translatedBytes} bytes went through the mappings so far, 0 went by`);

    teller.chapter(
      'A request with an address that nobody mapped: the disk is stopped, the driver is told',
    );
    const stray = 0xdead_0000;
    const status = disk.transfer(VIRTIO_BLK_T_IN, 0, stray, PAGE);
    hold(status === VIRTIO_BLK_S_IOERR, `the disk answers with status ${status}, and no I/O error`);
    const fault = { reason: 0, flags: 0, endpoint: 0, address: 0 };
    hold(driver.takeFault(fault), 'no fault report came back');
    say(`the disk answers with status ${status} (I/O error)`);
    say(
      `the event queue has: reason ${fault.reason}, flags ${hexNumber(fault.flags)}, endpoint ${hexNumber(fault.endpoint)}, address ${hexNumber(fault.address)}`,
    );
    hold(
      fault.endpoint === endpoint && fault.address === stray,
      'the fault report is about something else',
    );

    teller.chapter('Requests that the standard forbids: each is refused, and changes nothing');
    say('maps the doorbell of interrupts, which PROBE said is reserved');
    expectRefusal(() => driver.map(DOMAIN, MSI_DOORBELL, MSI_DOORBELL + PAGE - 1, RAM.base, 3));
    const buffer = dma.allocate(2 * PAGE);
    say('unmaps half of a mapping');
    expectRefusal(() =>
      driver.unmap(DOMAIN, buffer.deviceAddress, buffer.deviceAddress + PAGE - 1),
    );

    teller.chapter('It takes memory back, and lets the disk go');
    dma.free(buffer);
    dma.detach(endpoint);
    expectSilence(() => disk.flush());
    hold(
      (diskTransport.readStatus() & VIRTIO_CONFIG_S_NEEDS_RESET) !== 0,
      'the disk asks for no reset',
    );
    say('kicks the disk once more; it cannot even see its ring');
    say(`the disk's status is ${hexNumber(diskTransport.readStatus())}: it asks to be reset`);

    return {
      bytesRead: content.length,
      bytesWritten: half.length,
      requests: Object.values(iommu.device.counters.requests).reduce(
        (sum, { total }) => sum + total,
        0,
      ),
      translatedBytes: counters.translatedBytes,
      faults: counters.faults,
      interrupts: bus.interrupts,
    };
  } finally {
    bus.close();
    machine.close();
  }
}

function expectRefusal(request: () => void): void {
  try {
    request();
  } catch (error) {
    if (error instanceof IommuRequestError) return;
    throw error;
  }
  throw new VirtioError('SCENARIO', 'a request was granted that the standard forbids');
}

function expectSilence(request: () => void): void {
  try {
    request();
  } catch (error) {
    if (error instanceof VirtioError && error.code === 'NO_ANSWER') return;
    throw error;
  }
  throw new VirtioError('SCENARIO', 'the disk answered, although it has no domain');
}
