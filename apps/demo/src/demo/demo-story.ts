/** The story of `viommu demo`: a driver brings the IOMMU up, does real file I/O through it, and meets its limits. */
import { BlockDriver } from '@viommu/devices/driver';
import { hexNumber } from '@viommu/inspector';
import { AddressAllocator, DmaDomain, IommuDriver, IommuRequestError } from '@viommu/iommu-driver';
import { createMachine, type StandardMachineOptions, standardMachine } from '@viommu/machine';
import { formatBdf } from '@viommu/viot';
import { ArrayGuestMemory, VirtioError } from '@viommu/virtqueue';
import { VIRTIO_CONFIG_S_NEEDS_RESET } from '@viommu/virtqueue/device';
import { CommandError } from '../command-error.ts';
import { sha256OfRange } from '../linux/disk-image.ts';
import { NodeParts } from '../machine/node-parts.ts';
import { sha256 } from './checksum.ts';
import { InProcessBus } from './in-process-bus.ts';
import { type InProcessTransport, PCI_TRANSPORT } from './in-process-transport.ts';
import { Narrator } from './narrator.ts';

const RAM = { base: 0x4000_0000, length: 16 << 20 } as const;
const PAGE = 4096;
const SECTOR = 512;
const DOMAIN = 1;
const VIRTIO_BLK_T_IN = 0;
const VIRTIO_BLK_S_IOERR = 1;
const VIRTIO_IOMMU_RESV_MEM_T_MSI = 1;
const MSI_DOORBELL = 0xfee0_0000;

/** What the demo did, for its last lines and for tests. */
export interface DemoSummary {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly requests: number;
  readonly translatedBytes: number;
  readonly faults: number;
  readonly interrupts: number;
}

export interface StoryOptions extends Pick<StandardMachineOptions, 'readOnly'> {
  /** That of the IOMMU and of the disk; PCI when not given. */
  readonly transport?: InProcessTransport;
}

/**
 * @param file the disk's, which is read and written
 * @throws CommandError when something does not hold that should
 */
export function tellStory(
  file: string,
  write: (text: string) => void,
  options: StoryOptions = {},
): DemoSummary {
  const narrator = new Narrator(write);
  const { transport = PCI_TRANSPORT, ...machineOptions } = options;
  const machine = createMachine(standardMachine({ disks: [file], rng: false, ...machineOptions }), {
    parts: new NodeParts(),
    observe: () => narrator.observer,
    createFunction: transport.createFunction,
  });
  const iommu = machine.iommus[0]!;
  const [iommuFunction, diskFunction] = machine.functions as [
    (typeof machine.functions)[number],
    (typeof machine.functions)[number],
  ];
  const endpoint = diskFunction.bdf;
  const memory = new ArrayGuestMemory([
    { base: RAM.base, buffer: new SharedArrayBuffer(RAM.length) },
  ]);
  const bus = new InProcessBus(
    machine.functions.map((entry) => entry.function),
    memory,
    transport,
  );
  try {
    narrator.step(
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
    narrator.say(
      `agreed on features ${hexNumber(driver.features)}; pages of ${config.granule} bytes and more`,
    );
    narrator.say(
      `virtual addresses up to ${hexNumber(config.inputRange.end)}, ${config.domainRange.end + 1} domains`,
    );
    driver.setBypass(false);
    narrator.say('turned bypass off: an endpoint without a domain reaches nothing from here on');

    narrator.step(`It asks about the disk at ${formatBdf(endpoint)}, and attaches it to a domain`);
    const dma = new DmaDomain({ driver, domain: DOMAIN, pages });
    for (const { start, end, subtype } of dma.attach(endpoint)) {
      const use = subtype === VIRTIO_IOMMU_RESV_MEM_T_MSI ? 'interrupts' : 'the platform';
      narrator.say(`keeps off ${hexNumber(start)}..${hexNumber(end)}, reserved for ${use}`);
    }

    narrator.step(
      'The disk driver takes memory for its ring, its requests and its data; each piece is mapped',
    );
    const diskTransport = bus.transportOf(diskFunction.function);
    const disk = new BlockDriver({
      transport: diskTransport,
      memory,
      dma,
      wait: bus.wait,
    });
    narrator.say(`the disk '${disk.getId()}' has ${disk.capacity} sectors of ${SECTOR} bytes`);

    const counters = iommu.device.endpointCounters(endpoint);
    narrator.step(`It reads the whole disk: real file I/O, each byte through the mappings`);
    const content = new Uint8Array(disk.capacity * SECTOR);
    disk.read(0, content);
    const checksum = sha256(content);
    require(checksum ===
      sha256OfRange(file, 0, content.length), 'what was read is not what is in the file');
    narrator.say(
      `${content.length} bytes, SHA-256 ${checksum.slice(0, 16)}…, as driver and file agree`,
    );

    narrator.step('It writes half of the disk, and flushes');
    const half = content.subarray(0, content.length / 2).map((byte) => byte ^ 0xff);
    disk.write(disk.capacity / 2, half);
    disk.flush();
    require(sha256(half) ===
      sha256OfRange(file, content.length / 2, half.length), 'what was written is not in the file');
    narrator.say(
      `${half.length} bytes, SHA-256 ${sha256(half).slice(0, 16)}…, found again in the file`,
    );
    require(counters.bypassedBytes === 0, 'bytes of the disk went by the mappings');
    narrator.say(`${counters.translatedBytes} bytes went through the mappings so far, 0 went by`);

    narrator.step(
      'A request with an address that nobody mapped: the disk is stopped, the driver is told',
    );
    const stray = 0xdead_0000;
    const status = disk.transfer(VIRTIO_BLK_T_IN, 0, stray, PAGE);
    require(status ===
      VIRTIO_BLK_S_IOERR, `the disk answers with status ${status}, and no I/O error`);
    const fault = { reason: 0, flags: 0, endpoint: 0, address: 0 };
    require(driver.takeFault(fault), 'no fault report came back');
    narrator.say(`the disk answers with status ${status} (I/O error)`);
    narrator.say(
      `the event queue has: reason ${fault.reason}, flags ${hexNumber(fault.flags)}, endpoint ${hexNumber(fault.endpoint)}, address ${hexNumber(fault.address)}`,
    );
    require(fault.endpoint === endpoint &&
      fault.address === stray, 'the fault report is about something else');

    narrator.step('Requests that the standard forbids: each is refused, and changes nothing');
    narrator.say('maps the doorbell of interrupts, which PROBE said is reserved');
    expectRefusal(() => driver.map(DOMAIN, MSI_DOORBELL, MSI_DOORBELL + PAGE - 1, RAM.base, 3));
    const buffer = dma.allocate(2 * PAGE);
    narrator.say('unmaps half of a mapping');
    expectRefusal(() =>
      driver.unmap(DOMAIN, buffer.deviceAddress, buffer.deviceAddress + PAGE - 1),
    );

    narrator.step('It takes memory back, and lets the disk go');
    dma.free(buffer);
    dma.detach(endpoint);
    expectSilence(() => disk.flush());
    require((diskTransport.readStatus() & VIRTIO_CONFIG_S_NEEDS_RESET) !==
      0, 'the disk asks for no reset');
    narrator.say('kicks the disk once more; it cannot even see its ring');
    narrator.say(
      `the disk's status is ${hexNumber(diskTransport.readStatus())}: it asks to be reset`,
    );

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
  throw new CommandError('a request was granted that the standard forbids');
}

function expectSilence(request: () => void): void {
  try {
    request();
  } catch (error) {
    if (error instanceof VirtioError && error.code === 'NO_ANSWER') return;
    throw error;
  }
  throw new CommandError('the disk answered, although it has no domain');
}

function require(holds: boolean, problem: string): void {
  if (!holds) throw new CommandError(problem);
}
