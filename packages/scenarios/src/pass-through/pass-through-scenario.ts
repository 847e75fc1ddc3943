/** Scenario 1: a device of the host passed through twice, each step of the figure. */
import { DmaEngineDriver } from '@viommu/devices/driver';
import { hexNumber } from '@viommu/inspector';
import { joinObservers } from '@viommu/iommu-core';
import {
  AddressAllocator,
  createVfioIommu,
  IommuDriver,
  ProcessMemory,
} from '@viommu/iommu-driver';
import { createMachine, type MachineDescription, pciEndpoint } from '@viommu/machine';
import type { PciFunction } from '@viommu/transport-pci';
import { VFIO_DMA_MAP_FLAG_READ, VFIO_DMA_MAP_FLAG_WRITE, VfioContainer } from '@viommu/vfio';
import { ArrayGuestMemory } from '@viommu/virtqueue';
import { InProcessBus } from '../bus/in-process-bus.ts';
import { type InProcessTransport, PCI_TRANSPORT } from '../bus/in-process-transport.ts';
import { hold } from '../hold.ts';
import { NO_PARTS } from '../no-parts.ts';
import type { ScenarioTeller } from '../scenario-teller.ts';

const RAM = { base: 0x4000_0000, length: 16 << 20 } as const;
const PAGE = 4096;
const ENGINE = 0x28;
const PEER = 0x30;
const DOMAIN = 1;
const BUFFER_LENGTH = 4 * PAGE;
const COPIED = 2 * PAGE;
/** Where the guest's firmware put the registers of the second engine. */
const PEER_BAR = 0xfe00_0000;
const PEER_IOVA = 0x1000_0000;
const VIRTIO_IOMMU_MAP_F_MMIO = 4;
const READ_WRITE = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
const MESSAGE = { address: 0xfee0_0000, data: 1 };

/** An IOMMU, and two engines of the host behind it. */
export const PASS_THROUGH_MACHINE: MachineDescription = {
  iommus: [{ place: { bus: 'pci', bdf: 0x20 }, bootBypass: false }],
  devices: [ENGINE, PEER].map((bdf) => ({ kind: 'engine', ...pciEndpoint(bdf) })),
  msiWindows: [],
};

/** The addresses of this run, for the last lines and for tests. */
export interface PassThroughSummary {
  readonly virtualAddress: number;
  readonly guestPhysical: readonly number[];
  readonly hostPhysical: readonly number[];
  readonly bytesCopied: number;
  readonly interrupts: number;
  readonly faults: number;
}

/**
 * @param transport that of the IOMMU
 * @throws VirtioError `SCENARIO` when something does not hold that should
 */
export function playPassThrough(
  teller: ScenarioTeller,
  transport: InProcessTransport = PCI_TRANSPORT,
): PassThroughSummary {
  const guestPhysical: number[] = [];
  const hostPhysical: number[] = [];
  const machine = createMachine(PASS_THROUGH_MACHINE, {
    parts: NO_PARTS,
    hostFrameSize: PAGE,
    createFunction: transport.createFunction,
    ...(teller.observeQueues ? { observeQueues: teller.observeQueues } : {}),
    passThroughObserver: {
      hostMapped: (endpoint, iova, iovaEnd, userAddress, physical) => {
        if (endpoint !== ENGINE) return;
        hostPhysical.push(physical);
        teller.tell(
          'host',
          `IOVA ${hexNumber(iova)}..${hexNumber(iovaEnd)} is user address ${hexNumber(userAddress)} of the VMM, host-physical ${hexNumber(physical)}`,
          '1c',
        );
      },
      hostUnmapped: (endpoint, iova, iovaEnd) => {
        if (endpoint !== ENGINE) return;
        teller.tell('host', `unmaps IOVA ${hexNumber(iova)}..${hexNumber(iovaEnd)}`);
      },
      started: (endpoint, source, destination, length) =>
        teller.tell(
          endpoint === ENGINE ? 'engine' : 'peer',
          `is told to copy ${length} bytes from ${hexNumber(source)} to ${hexNumber(destination)}`,
          '2a',
        ),
    },
    observe: () =>
      joinObservers([
        teller.observer,
        {
          translated: (endpoint, address, length, access, physical) => {
            if (endpoint !== ENGINE) return;
            const verb = access === VFIO_DMA_MAP_FLAG_READ ? 'reads ' : 'writes';
            teller.tell(
              'IOMMU',
              `${verb} ${length} bytes at ${hexNumber(address)}, which is host-physical ${hexNumber(physical)}`,
              '2b',
            );
          },
        },
      ]),
  });
  const { device: iommu, passThrough } = machine.iommus[0]!;
  const functions = machine.functions.map((one) => one.function);
  const [iommuFunction, engine, peer] = functions as [PciFunction, PciFunction, PciFunction];
  // No other thread looks at it, and a page need not be allowed to share memory.
  const memory = new ArrayGuestMemory([{ base: RAM.base, buffer: new ArrayBuffer(RAM.length) }]);
  const bus = new InProcessBus(functions, memory, transport);
  teller.begin?.(machine);
  try {
    teller.chapter("The guest's kernel brings the virtio-iommu up; the engine is in no domain");
    const pages = new AddressAllocator(RAM.base, RAM.base + RAM.length - 1, PAGE);
    const driver = new IommuDriver({
      transport: bus.transportOf(iommuFunction),
      memory,
      pages,
      wait: bus.wait,
    });
    const program = new ProcessMemory({ memory, pages });

    teller.chapter("A program in the guest opens the engine's group with VFIO");
    const vfio = new VfioContainer({
      iommu: createVfioIommu({ driver, domain: DOMAIN }),
      userMemory: program,
    });
    const group = { endpoints: [ENGINE] };
    hold(vfio.attachGroup(group) === 0, 'the group does not go into the container');

    teller.chapter('It maps a buffer: VA, IOVA, guest-physical, host-physical');
    const buffer = program.mmap(BUFFER_LENGTH);
    const run = { physical: 0, length: 0 };
    for (let offset = 0; offset < BUFFER_LENGTH; offset += PAGE) {
      program.pin(buffer + offset, 1, READ_WRITE, run);
      guestPhysical.push(run.physical);
    }
    teller.tell(
      'program',
      `VFIO_IOMMU_MAP_DMA: VA ${hexNumber(buffer)}, IOVA the same, ${BUFFER_LENGTH} bytes`,
      '1a',
    );
    teller.tell(
      'driver',
      `relays each run of guest-physical pages: ${guestPhysical.map(hexNumber).join(', ')}`,
      '1b',
    );
    hold(vfio.mapDma(buffer, buffer, BUFFER_LENGTH, READ_WRITE) === 0, 'the buffer is not mapped');
    hold(
      hostPhysical.length === guestPhysical.length &&
        hostPhysical.every((physical, index) => physical !== guestPhysical[index]),
      'stage 2 is missing on the way to the host',
    );

    teller.chapter('It has the engine copy the first half of the buffer to the second');
    const device = new DmaEngineDriver({ access: engine, message: MESSAGE, wait: bus.wait });
    const pattern = Uint8Array.from({ length: COPIED }, (_, index) => (index * 31) ^ (index >> 7));
    program.write(buffer, pattern);
    const before = bus.interrupts;
    hold(device.copy(buffer, buffer + COPIED, COPIED).done, 'the engine reports an error');
    const copied = new Uint8Array(COPIED);
    program.read(buffer + COPIED, copied);
    hold(
      copied.every((byte, index) => byte === pattern[index]),
      'the bytes are not those of the source',
    );
    hold(bus.interrupts === before + 1, 'the engine did not interrupt once');
    teller.tell('program', `finds its ${COPIED} bytes, after one interrupt`);

    teller.chapter('It has the engine read behind the buffer: refused, and reported twice');
    const outside = buffer + BUFFER_LENGTH;
    const refused = device.copy(outside, buffer, PAGE);
    hold(
      !refused.done && refused.errorAddress === outside,
      'the engine reached what is not mapped',
    );
    teller.tell('program', `reads the engine's error address: ${hexNumber(refused.errorAddress)}`);
    const fault = { reason: 0, flags: 0, endpoint: 0, address: 0 };
    hold(driver.takeFault(fault), 'no fault report came');
    hold(fault.endpoint === ENGINE && fault.address === outside, 'the report is of something else');
    teller.tell(
      'driver',
      `takes the fault report: endpoint ${hexNumber(fault.endpoint)}, address ${hexNumber(fault.address)}`,
    );

    teller.chapter("Peer to peer: the engine's DMA reaches the registers of a second engine");
    passThrough!.slots.add({
      guestStart: PEER_BAR,
      length: PAGE,
      userAddress: passThrough!.host.mapRegisters(
        {
          read: (offset, width) => peer.readBar(0, offset, width),
          write: (offset, width, value) => peer.writeBar(0, offset, width, value),
        },
        PAGE,
      ),
    });
    driver.map(
      DOMAIN,
      PEER_IOVA,
      PEER_IOVA + PAGE - 1,
      PEER_BAR,
      READ_WRITE | VIRTIO_IOMMU_MAP_F_MMIO,
    );
    const registers = new DataView(new ArrayBuffer(20));
    registers.setUint32(0, 0x1234_5678, true);
    registers.setUint32(16, PAGE, true);
    program.write(buffer, new Uint8Array(registers.buffer));
    // SOURCE, DESTINATION and LENGTH of the peer stand in one row.
    hold(device.copy(buffer, PEER_IOVA + 8, 20).done, 'the engine cannot reach its peer');
    hold(
      peer.readBar(0, 0x08, 4) === 0x1234_5678 && peer.readBar(0, 0x18, 4) === PAGE,
      "the peer's registers did not change",
    );
    teller.tell('peer', `has ${hexNumber(peer.readBar(0, 0x08, 4))} in its register SOURCE now`);

    teller.chapter('It unmaps the buffer: the same copy fails now');
    hold(vfio.unmapDma(buffer, BUFFER_LENGTH) === BUFFER_LENGTH, 'the buffer is not unmapped');
    const again = device.copy(buffer, buffer + COPIED, COPIED);
    hold(!again.done && again.errorAddress === buffer, 'the engine still reaches the buffer');
    teller.tell('program', `reads the engine's error address: ${hexNumber(again.errorAddress)}`);
    vfio.detachGroup(group);

    const { faults } = iommu.counters;
    hold(faults === 2, `${faults} faults instead of 2`);
    return {
      virtualAddress: buffer,
      guestPhysical,
      hostPhysical: hostPhysical.slice(0, guestPhysical.length),
      bytesCopied: COPIED,
      interrupts: bus.interrupts,
      faults,
    };
  } finally {
    bus.close();
  }
}
