/** What a gate keeps from a device: buffers stay in the ring until it lets them through, one by one if it likes. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { DriverQueue } from '../driver/driver-queue.ts';
import { bringUp } from '../fixtures/bring-up.ts';
import { ArrayGuestMemory } from '../memory/array-guest-memory.ts';
import { createDescriptorChain } from '../ring/descriptor-chain.ts';
import { drainQueue } from '../ring/drain-queue.ts';
import { SnapshotReader } from '../snapshot/snapshot-reader.ts';
import { VIRTIO_F_EVENT_IDX, VIRTIO_F_RING_PACKED, VIRTIO_F_VERSION_1 } from './constants.ts';
import { DeviceSession } from './device-session.ts';
import type { QueueGate } from './queue-gate.ts';
import type { DeviceContext, VirtioDevice } from './virtio-device.ts';

const SIZE = 8;
const BUFFER = [{ address: 0x3000, length: 16 }];

/** Uses each buffer at once. */
class QuickDevice implements VirtioDevice {
  readonly deviceId = 42;
  readonly queueMaxSizes = [SIZE];
  readonly deviceFeatures = 0n;
  readonly configSize = 0;
  used = 0;
  #context: DeviceContext | undefined;
  readonly #chain = createDescriptorChain(SIZE);

  readConfig(): number {
    return 0;
  }

  writeConfig(): void {}

  activate(context: DeviceContext): void {
    this.#context = context;
  }

  notifyQueue(index: number): boolean {
    const handler = {
      handleChain: () => {
        this.used += 1;
        return 0;
      },
    };
    const { queues, interrupts } = this.#context!;
    return drainQueue(queues[index]!, this.#chain, handler, interrupts);
  }

  reset(): void {
    this.#context = undefined;
  }
}

class CountedGate implements QueueGate {
  /** Buffers that may be taken. */
  open = 0;
  look!: (queue: number) => void;

  attached(look: (queue: number) => void): void {
    this.look = look;
  }

  mayTake(): boolean {
    return this.open > 0;
  }

  taken(): void {
    this.open -= 1;
  }
}

const LAYOUTS = [
  ['split', VIRTIO_F_EVENT_IDX],
  ['split, without VIRTIO_F_EVENT_IDX', 0n],
  ['packed', VIRTIO_F_EVENT_IDX | VIRTIO_F_RING_PACKED],
] as const;

describe.each(LAYOUTS)('a queue with a gate (%s)', (_name, features) => {
  let device: QuickDevice;
  let gate: CountedGate;
  let session: DeviceSession;
  let driver: DriverQueue;
  let interrupts: number;
  let memory: ArrayGuestMemory;

  function makeSession(queueGate?: QueueGate): DeviceSession {
    return new DeviceSession({
      device,
      memory,
      interrupts: {
        usedBuffer: () => {
          interrupts += 1;
        },
        configChange() {},
      },
      packed: true,
      ...(queueGate ? { queueGate } : {}),
    });
  }

  beforeEach(() => {
    memory = new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(0x4000) }]);
    device = new QuickDevice();
    gate = new CountedGate();
    interrupts = 0;
    session = makeSession(gate);
    driver = bringUp(session, features | VIRTIO_F_VERSION_1, memory, SIZE);
  });

  function add(count: number): void {
    for (let token = 0; token < count; token += 1) driver.add([], BUFFER, token);
    session.notify(0);
  }

  function collect(): number {
    const used = { token: 0, length: 0 };
    let count = 0;
    while (driver.takeUsed(used)) count += 1;
    driver.enableInterrupts(true);
    return count;
  }

  it('keeps its buffers while the gate is closed, and gives them up one by one', () => {
    add(5);
    expect(session.service()).toBe(false);
    expect([device.used, collect(), interrupts]).toEqual([0, 0, 0]);
    for (let step = 1; step <= 2; step += 1) {
      gate.open = 1;
      gate.look(0);
      expect(session.service()).toBe(false);
      expect([device.used, collect(), interrupts]).toEqual([step, 1, step]);
    }
    gate.open = 100;
    gate.look(0);
    session.service();
    expect([device.used, collect()]).toEqual([5, 3]);
    add(2);
    session.service();
    expect([device.used, collect()]).toEqual([7, 2]);
  });

  it('is quiet when it is looked at and there is nothing', () => {
    gate.open = 1;
    gate.look(0);
    expect(session.service()).toBe(false);
    expect([device.used, gate.open, interrupts]).toEqual([0, 1, 0]);
  });

  it('loses nothing when its state is restored where there is no gate', () => {
    add(3);
    session.service();
    const snapshot = JSON.parse(JSON.stringify(session.snapshot()));
    device = new QuickDevice();
    const restored = makeSession();
    restored.prepareRestore(new SnapshotReader(snapshot))();
    restored.service();
    expect([device.used, collect()]).toEqual([3, 3]);
  });

  it('forgets what it kept when the driver resets the device', () => {
    add(3);
    session.service();
    session.writeStatus(0);
    gate.open = 100;
    gate.look(0);
    expect(session.service()).toBe(false);
    expect(device.used).toBe(0);
    expect(session.snapshot().queues[0]!.kicked).toBe(false);
  });
});
