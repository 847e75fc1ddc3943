/** What a watch says of queues is what their devices say, and how long buffers took is what the clock said meanwhile. */
import { MemoryDisk } from '@viommu/devices';
import { BlockDriver } from '@viommu/devices/driver';
import { MachineView, MachineWatch, type WatchedQueue } from '@viommu/inspector';
import { AddressAllocator, DmaDomain, IommuDriver } from '@viommu/iommu-driver';
import { createMachine, type MachineOptions, standardMachine } from '@viommu/machine';
import { InProcessBus, PCI_TRANSPORT } from '@viommu/scenarios';
import { ReplayMachine } from '@viommu/trace';
import { ArrayGuestMemory, joinLe64 } from '@viommu/virtqueue';
import type { QueueSnapshot } from '@viommu/virtqueue/snapshot';
import { describe, expect, it } from 'vitest';
import { loadSteps, replayWaits } from './fixtures/iommu-waits.ts';
import { shippedTrace } from './shipped-traces.ts';

const load = (name: string) => loadSteps(shippedTrace(name));

/** The queues of all virtio devices, in the order of the machine's functions and windows. */
function queuesOf(machine: ReplayMachine['machine']): QueueSnapshot[] {
  return machine.functions.flatMap(({ function: one }) => {
    const snapshot = one.snapshot!() as { windows?: readonly object[] };
    return (snapshot.windows ?? [snapshot]).flatMap(
      (device) => (device as { session?: { queues: QueueSnapshot[] } }).session?.queues ?? [],
    );
  });
}

/** What a snapshot has of a queue, of what a watch says of it. */
function asSnapshot({ size, enabled, kicked, ring, ...areas }: WatchedQueue) {
  const { descriptorArea, driverArea, deviceArea } = areas;
  const common = { size, enabled, kicked, areas: [descriptorArea, driverArea, deviceArea] };
  if (ring === undefined) return { ...common, ring: null };
  const { broken, inFlight } = ring;
  return ring.layout === 'split'
    ? { ...common, ring: { broken, inFlight, nextAvail: ring.nextAvail, usedIdx: ring.usedIdx } }
    : { ...common, ring: { broken, inFlight, available: ring.available, used: ring.used } };
}

function expected({ size, enabled, kicked, addresses, ring }: QueueSnapshot) {
  const areas = [0, 2, 4].map((at) => joinLe64(addresses[at]!, addresses[at + 1]!));
  const common = { size, enabled, kicked, areas };
  if (ring === null) return { ...common, ring };
  const { broken } = ring;
  if ('nextAvail' in ring) {
    const { nextAvail, usedIdx } = ring;
    const inFlight = (nextAvail - usedIdx) & 0xffff;
    return { ...common, ring: { broken, inFlight, nextAvail, usedIdx } };
  }
  const inFlight = ring.buffers.reduce((sum, one, at) => sum + (at % 2 === 1 ? one : 0), 0);
  return { ...common, ring: { broken, inFlight, available: ring.available, used: ring.used } };
}

/** Windows are in another order than what is in them. */
const sorted = (queues: readonly object[]): string[] =>
  queues.map((one) => JSON.stringify(one)).sort();

function medianOf(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.ceil(values.length / 2) - 1]!;
}

describe('a watch of a boot that was recorded', () => {
  it.each([
    ['x86_64-two-iommus', 700, 'split'],
    ['x86_64-packed-backports', 450, 'packed'],
    ['arm64-mmio', 300, 'split'],
  ])('says of %s how the queues stand, every %d operations', (name, every, layout) => {
    const { header, steps } = load(name);
    const watch = new MachineWatch(new ReplayMachine(header).description);
    const { observe, observeQueues } = watch;
    const replay = new ReplayMachine(header, { observe, observeQueues });
    watch.begin(replay.machine);
    const view = new MachineView();
    view.apply(watch.takeAll());
    let told = 0;
    let most: WatchedQueue[] = [];
    for (const step of steps) {
      watch.now = { time: step.time, operation: step.index };
      replay.apply(step);
      if (step.index % every !== 0 && step.index !== steps.length - 1) continue;
      const update = watch.take();
      told += update.queues.length;
      view.apply(update);
      const actual = view.queues.map(asSnapshot);
      expect(sorted(actual)).toEqual(sorted(queuesOf(replay.machine).map(expected)));
      const used = view.queues.filter(({ ring }) => ring?.layout === layout);
      if (used.length > most.length) most = used;
    }
    const late = new MachineView();
    late.apply(watch.takeAll());
    expect(late.queues).toEqual(view.queues);
    expect(late.latency).toEqual(view.latency);
    const copy = late.copy();
    late.apply({ ...watch.takeAll(), queues: [], latency: [] });
    expect(late.queues).toEqual([]);
    expect([copy.queues, copy.latency]).toEqual([view.queues, view.latency]);
    expect(watch.take()).toMatchObject({ queues: [], latency: [] });
    // What stands as before is not told again.
    expect(told).toBeLessThan((view.queues.length * steps.length) / every);
    expect(most.length).toBe(view.queues.length);
    expect(most[0]).toMatchObject({ device: 'iommu', queue: 0, name: 'requestq' });
    for (const { ring } of most)
      expect(ring!.kicks === undefined || ring!.kicks.isAsked).toBe(true);
  });

  it.each(['x86_64-pci', 'x86_64-two-iommus', 'x86_64-packed-backports'])(
    'knows of %s how long requests of the IOMMU waited',
    (name) => {
      const { header, steps } = load(name);
      const watch = new MachineWatch(new ReplayMachine(header).description);
      const { waited, total } = replayWaits({ header, steps }, watch);
      const view = new MachineView();
      view.apply(watch.takeAll());
      const { used, waiting, working } = view.latencyOf('iommu', 0)!;
      expect([used, waiting.worst]).toEqual([total, Math.max(...waited)]);
      expect(waited.length).toBeGreaterThan(200);
      // Some came while the device was at work, and were found before their kick came.
      expect(waiting.count).toBeLessThanOrEqual(waited.length);
      expect(waiting.count).toBeGreaterThan(0.98 * waited.length);
      const median = medianOf(waited);
      expect(Math.abs(waiting.median - median)).toBeLessThanOrEqual(median / 16);
      expect(Math.max(...waiting.worsts)).toBe(waiting.worst);
      // All in the operation in which they were taken.
      expect(working).toMatchObject({ count: 0, medians: [] });
    },
  );
});

const RAM = { base: 0x4000_0000, length: 4 << 20 };
const DOMAIN = 3;
/** Microseconds that the disk takes, and that pass before the device is called. */
const [DISK_TAKES, CALL_TAKES] = [1000, 40];

/** A machine in this process, with a disk behind the IOMMU and a clock that goes on where something takes its time. */
function machineAtWork(options: Partial<MachineOptions> = {}) {
  const clock = { time: 0 };
  const description = standardMachine({ disks: ['a'], rng: false });
  const watch = new MachineWatch(description, { microseconds: () => clock.time });
  const disk = Object.assign(new MemoryDisk(new Uint8Array(1 << 16)), { close() {} });
  const { read } = disk;
  disk.read = (...args: Parameters<typeof read>) => {
    clock.time += DISK_TAKES;
    read.apply(disk, args);
  };
  const machine = createMachine(description, {
    parts: {
      openDisk: () => disk,
      openNetwork: () => {
        throw new Error('there is none');
      },
      fillRandom() {},
    },
    observe: watch.observe,
    observeQueues: watch.observeQueues,
    ...options,
  });
  watch.begin(machine);
  const view = new MachineView();
  view.apply(watch.takeAll());
  const memory = new ArrayGuestMemory([{ base: RAM.base, buffer: new ArrayBuffer(RAM.length) }]);
  const functions = machine.functions.map((one) => one.function);
  const bus = new InProcessBus(functions, memory, PCI_TRANSPORT);
  const pages = new AddressAllocator(RAM.base, RAM.base + RAM.length - 1, 4096);
  const look = () => {
    view.apply(watch.take());
    return (device: string, queue = 0) =>
      view.queues.find((one) => one.device === device && one.queue === queue)!;
  };
  const open = (wait: () => boolean) => {
    const iommu = new IommuDriver({
      transport: bus.transportOf(functions[0]!),
      memory,
      pages,
      wait,
    });
    iommu.setBypass(false);
    return iommu;
  };
  return { clock, machine, view, memory, functions, bus, pages, look, open };
}

describe('a watch of a machine at work', () => {
  it('says where the rings are, and how long the device waited and worked', () => {
    const { clock, machine, view, memory, functions, bus, pages, look, open } = machineAtWork();
    const wait = () => {
      clock.time += CALL_TAKES;
      return bus.wait();
    };
    const dma = new DmaDomain({ driver: open(wait), domain: DOMAIN, pages });
    dma.attach(machine.endpoints[0]!.endpoint);
    const disk = new BlockDriver({ transport: bus.transportOf(functions[1]!), memory, dma, wait });
    const before = look()('blk');
    expect(before).toMatchObject({ name: 'requestq1', enabled: true, kicked: false });
    const { descriptorArea, driverArea, deviceArea } = before;
    for (const area of [descriptorArea, driverArea, deviceArea]) {
      // Its own addresses: the IOMMU translates them.
      expect(view.domain(0, DOMAIN)!.mappings.find(area)).toBeDefined();
    }
    const reads = 25;
    for (let read = 0; read < reads; read += 1) disk.read(read, new Uint8Array(512));
    const after = look()('blk');
    expect(after.ring).toMatchObject({
      layout: 'split',
      inFlight: 0,
      nextAvail: reads,
      availIdx: reads,
      usedIdx: reads,
      kicks: { isAsked: true, at: reads },
    });
    const { used, waiting, working } = view.latencyOf('blk', 0)!;
    expect(used).toBe(reads);
    expect([waiting.count, waiting.worst]).toEqual([reads, CALL_TAKES]);
    expect([working.count, working.worst]).toEqual([reads, DISK_TAKES]);
    expect(Math.abs(working.median - DISK_TAKES)).toBeLessThanOrEqual(DISK_TAKES / 32);
    expect(working.worsts.filter((one) => one >= 0).every((one) => one === DISK_TAKES)).toBe(true);
    const requests = Object.values(machine.iommus[0]!.device.counters.requests);
    expect(view.latencyOf('iommu', 0)).toMatchObject({
      used: requests.reduce((sum, { total }) => sum + total, 0),
      working: { worst: 0 },
    });
    bus.close();
    expect(look()('blk')).toMatchObject({ enabled: false, ring: undefined });
  });

  it('shows what is in flight: a request whose answer is held back', () => {
    let isHeld = false;
    const { clock, machine, view, bus, look, open } = machineAtWork({
      inject: () => ({
        request: (_record, verdict) => {
          verdict.isHeld = isHeld;
        },
      }),
    });
    let inFlight: WatchedQueue | undefined;
    const iommu = open(() => {
      if (bus.wait()) return true;
      inFlight = look()('iommu');
      clock.time += 500;
      expect(machine.iommus[0]!.device.releaseAnswer()).toBe(true);
      return bus.wait();
    });
    iommu.attach(DOMAIN, machine.endpoints[0]!.endpoint);
    isHeld = true;
    iommu.map(DOMAIN, 0x1000, 0x1fff, RAM.base, 3);
    expect(inFlight).toMatchObject({ ring: { inFlight: 1 } });
    expect(inFlight!.kept).toHaveLength(1);
    expect(look()('iommu')).toMatchObject({ kept: [], ring: { inFlight: 0 } });
    expect(view.latencyOf('iommu', 0)!.working).toMatchObject({ worst: 500 });
    bus.close();
  });
});
