/** What an observer is told of queues, and what they say of themselves, beside what is in memory. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { DriverQueue } from '../driver/driver-queue.ts';
import { bringUp } from '../fixtures/bring-up.ts';
import { VIEWS } from '../fixtures/ring-memory.ts';
import { ArrayGuestMemory } from '../memory/array-guest-memory.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import { createDescriptorChain } from '../ring/descriptor-chain.ts';
import { drainQueue } from '../ring/drain-queue.ts';
import { CHAIN_KEPT } from '../ring/virtqueue.ts';
import { SnapshotReader } from '../snapshot/snapshot-reader.ts';
import { InvisibleGuestMemory } from '../testing/wrapped-memory.ts';
import { VIRTIO_F_EVENT_IDX, VIRTIO_F_RING_PACKED, VIRTIO_F_VERSION_1 } from './constants.ts';
import { DeviceSession } from './device-session.ts';
import type { QueueObserver, QueueSource } from './queue-observer.ts';
import type { DeviceContext, VirtioDevice } from './virtio-device.ts';

const SIZE = 8;
const BUFFER = [{ address: 0x3000, length: 16 }];

/** Uses each buffer at once, or keeps it. */
class KeepingDevice implements VirtioDevice {
  readonly deviceId = 42;
  readonly queueMaxSizes = [SIZE, SIZE];
  readonly deviceFeatures = 0n;
  readonly configSize = 0;
  keeps = false;
  readonly kept: number[] = [];
  context: DeviceContext | undefined;
  readonly #chain = createDescriptorChain(SIZE);

  readConfig(): number {
    return 0;
  }

  writeConfig(): void {}

  activate(context: DeviceContext): void {
    this.context = context;
  }

  notifyQueue(index: number): boolean {
    const queue = this.context!.queues[index]!;
    const handler = {
      handleChain: ({ head }: { head: number }) => {
        if (this.keeps) this.kept.push(head);
        return this.keeps ? CHAIN_KEPT : 0;
      },
    };
    return drainQueue(queue, this.#chain, handler, this.context!.interrupts);
  }

  keptBuffers(index: number): readonly number[] {
    return index === 0 ? this.kept : [];
  }

  /** Gives all back, in one go. */
  release(): void {
    const queue = this.context!.queues[0]!;
    const heads = Uint16Array.from(this.kept.splice(0));
    queue.pushUsedTogether(heads, new Uint32Array(heads.length), heads.length);
    if (queue.shouldInterrupt()) this.context!.interrupts.usedBuffer(0);
  }

  reset(): void {
    this.context = undefined;
  }
}

class Recorder implements QueueObserver {
  readonly calls: string[] = [];
  source: QueueSource | undefined;

  attached(source: QueueSource): void {
    this.source = source;
  }

  started(queue: number, size: number): void {
    this.calls.push(`started ${queue} of ${size}`);
  }

  kicked(queue: number): void {
    this.calls.push(`kicked ${queue}`);
  }

  taken(queue: number, head: number): void {
    this.calls.push(`taken ${queue}:${head}`);
  }

  ranEmpty(queue: number): void {
    this.calls.push(`empty ${queue}`);
  }

  used(queue: number, head: number): void {
    this.calls.push(`used ${queue}:${head}`);
  }

  take(): string[] {
    return this.calls.splice(0);
  }
}

let bytes: DataView;
let memory: GuestMemory;
let device: KeepingDevice;
let recorder: Recorder;
let session: DeviceSession;
let driver: DriverQueue;

function open(features: bigint, view: (memory: GuestMemory) => GuestMemory): void {
  bytes = new DataView(new ArrayBuffer(0x4000));
  const plain = new ArrayGuestMemory([{ base: 0, buffer: bytes.buffer as ArrayBuffer }]);
  memory = view(plain);
  device = new KeepingDevice();
  recorder = new Recorder();
  const interrupts = { usedBuffer() {}, configChange() {} };
  session = new DeviceSession({
    device,
    memory,
    interrupts,
    packed: true,
    queueObserver: recorder,
  });
  driver = bringUp(session, features | VIRTIO_F_VERSION_1, plain, SIZE);
}

const half = (address: number) => bytes.getUint16(address, true);
const state = () => recorder.source!.queueStates()[0]!;
const ring = () => state().ring!;

/** Makes `count` buffers of one descriptor available, and kicks. */
function add(count: number): void {
  for (let token = 0; token < count; token += 1) driver.add([], BUFFER, token);
  session.notify(0);
}

/** Takes back what was used. */
function collect(): number {
  const used = { token: 0, length: 0 };
  let count = 0;
  while (driver.takeUsed(used)) count += 1;
  return count;
}

describe.each(VIEWS)('a split ring %s', (_name, view) => {
  beforeEach(() => open(VIRTIO_F_EVENT_IDX, view));

  it('says its indices, and the wishes as they are in memory', () => {
    const { driverArea, deviceArea } = driver.addresses;
    expect(state()).toMatchObject({ size: SIZE, enabled: true, kicked: false, kept: [] });
    expect(state()).toMatchObject({ ...driver.addresses });
    expect(ring()).toMatchObject({ layout: 'split', kicks: undefined, interrupts: undefined });
    for (let round = 1; round <= 5; round += 1) {
      add(3);
      expect(state().kicked).toBe(true);
      session.service();
      const availIdx = half(driverArea + 2);
      const usedIdx = half(deviceArea + 2);
      expect([availIdx, usedIdx]).toEqual([3 * round, 3 * round]);
      expect(ring()).toEqual({
        layout: 'split',
        broken: false,
        inFlight: 0,
        nextAvail: availIdx,
        availIdx,
        usedIdx,
        kicks: { isAsked: true, at: half(deviceArea + 4 + 8 * SIZE) },
        interrupts: { isAsked: true, at: half(driverArea + 4 + 2 * SIZE) },
      });
      expect(collect()).toBe(3);
    }
  });

  it('says what is in flight, and keeps what it last read of the driver', () => {
    device.keeps = true;
    add(5);
    session.service();
    expect(ring()).toMatchObject({ inFlight: 5, nextAvail: 5, availIdx: 5, usedIdx: 0 });
    expect(state().kept).toEqual(device.kept);
    expect(state().kept.length).toBe(5);
    driver.add([], BUFFER, 9);
    // The driver has told nobody yet.
    expect(half(driver.addresses.driverArea + 2)).toBe(6);
    expect(ring()).toMatchObject({ availIdx: 5 });
    device.release();
    expect(ring()).toMatchObject({ inFlight: 0, usedIdx: 5 });
    expect(state().kept).toEqual([]);
  });

  it('says nothing of wishes after it was restored, until they are known again', () => {
    add(2);
    session.service();
    const snapshot = JSON.parse(JSON.stringify(session.snapshot()));
    session.prepareRestore(new SnapshotReader(snapshot))();
    expect(ring()).toMatchObject({ usedIdx: 2, kicks: undefined, interrupts: undefined });
    collect();
    add(1);
    session.service();
    expect(ring()).toMatchObject({ usedIdx: 3, kicks: { at: 3 } });
    expect(recorder.take().filter((call) => call.startsWith('started'))).toHaveLength(2);
  });
});

describe.each(VIEWS)('a split ring without VIRTIO_F_EVENT_IDX, %s', (_name, view) => {
  beforeEach(() => open(0n, view));

  it('says whether notifications are asked for at all', () => {
    driver.enableInterrupts(false);
    add(1);
    session.service();
    const { driverArea, deviceArea } = driver.addresses;
    expect([half(deviceArea), half(driverArea)]).toEqual([0, 1]);
    expect(ring().kicks).toEqual({ isAsked: true, at: undefined });
    expect(ring().interrupts).toEqual({ isAsked: false, at: undefined });
    device.context!.queues[0]!.disableNotifications();
    expect(half(deviceArea)).toBe(1);
    expect(ring().kicks).toEqual({ isAsked: false, at: undefined });
  });
});

describe.each(VIEWS)('a packed ring %s', (_name, view) => {
  beforeEach(() => open(VIRTIO_F_EVENT_IDX | VIRTIO_F_RING_PACKED, view));

  it('says its positions with wrap counters, and the wishes as they are in memory', () => {
    const { driverArea, deviceArea } = driver.addresses;
    for (let round = 1; round <= 5; round += 1) {
      // RING_EVENT_FLAGS_DESC, which the driver here does not use.
      bytes.setUint16(driverArea, (round % SIZE) | 0x8000, true);
      bytes.setUint16(driverArea + 2, 2, true);
      add(3);
      session.service();
      const slots = 3 * round;
      // "a single-bit ring wrap counter initialized to 1"
      const position = (slots % SIZE) | (((Math.floor(slots / SIZE) + 1) % 2) << 15);
      expect(ring()).toEqual({
        layout: 'packed',
        broken: false,
        inFlight: 0,
        available: position,
        used: position,
        kicks: { isAsked: true, at: half(deviceArea) },
        interrupts: { isAsked: true, at: half(driverArea) },
      });
      expect(half(deviceArea + 2)).toBe(2);
      expect(half(deviceArea)).toBe(position);
      expect(collect()).toBe(3);
    }
    device.context!.queues[0]!.disableNotifications();
    expect(half(deviceArea + 2)).toBe(1);
    expect(ring().kicks).toEqual({ isAsked: false, at: undefined });
  });

  it('says what is in flight', () => {
    device.keeps = true;
    for (let token = 0; token < 3; token += 1) driver.add(BUFFER, BUFFER, token);
    session.notify(0);
    session.service();
    expect(ring()).toMatchObject({ inFlight: 6, available: 6 | 0x8000, used: 0x8000 });
    expect(state().kept).toEqual(device.kept);
    expect(state().kept.length).toBe(3);
  });
});

describe('a look', () => {
  it('sends no message, and leaves everything as it is', () => {
    let messages: InvisibleGuestMemory | undefined;
    open(VIRTIO_F_EVENT_IDX, (plain) => {
      messages = new InvisibleGuestMemory(plain);
      return messages;
    });
    add(2);
    const before = [messages!.messages, JSON.stringify(session.snapshot())];
    for (let times = 0; times < 3; times += 1) session.queueStates();
    expect([messages!.messages, JSON.stringify(session.snapshot())]).toEqual(before);
    session.service();
    expect(ring()).toMatchObject({ usedIdx: 2 });
  });

  it('finds no ring in a queue that is not enabled, or was reset', () => {
    open(0n, (plain) => plain);
    expect(session.queueStates()[1]).toEqual({
      size: SIZE,
      enabled: false,
      descriptorArea: 0,
      driverArea: 0,
      deviceArea: 0,
      kicked: false,
      ring: undefined,
      kept: [],
    });
    session.reset();
    expect(state()).toMatchObject({ enabled: false, ring: undefined });
  });
});

describe('an observer', () => {
  beforeEach(() => open(VIRTIO_F_EVENT_IDX, (plain) => plain));

  it('sees a buffer from the kick to its use', () => {
    expect(recorder.take()).toEqual([`started 0 of ${SIZE}`]);
    add(2);
    session.service();
    const [first, second] = [0, 1].map((slot) => half(driver.addresses.driverArea + 4 + 2 * slot));
    expect(recorder.take()).toEqual([
      'kicked 0',
      `taken 0:${first}`,
      `used 0:${first}`,
      `taken 0:${second}`,
      `used 0:${second}`,
      // The device looked for a third, and asks for kicks again.
      'empty 0',
      'empty 0',
    ]);
  });

  it('sees those that are given back together, and nothing of what the driver has taken away', () => {
    device.keeps = true;
    add(3);
    session.service();
    const heads = [...device.kept];
    recorder.take();
    device.release();
    expect(recorder.take()).toEqual(heads.map((head) => `used 0:${head}`));
    add(1);
    session.service();
    const { queues } = device.context!;
    const queue = queues[0]!;
    session.writeStatus(0);
    recorder.take();
    queue.pushUsed(device.kept[0]!, 0);
    expect(recorder.take()).toEqual([]);
    expect(queues[0]).toBeUndefined();
  });

  it('hears of no kick that the device does not get, or that it has sent itself', () => {
    device.context!.requestService(0);
    session.notify(1);
    session.notify(7);
    session.writeStatus(0);
    session.notify(0);
    expect(recorder.take()).toEqual([`started 0 of ${SIZE}`]);
  });
});
