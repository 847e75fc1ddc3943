/** What is let through of devices that are held: real ones, with drivers that fill their queues. */
import { VirtioEntropyDevice } from '@viommu/devices';
import { ArrayGuestMemory } from '@viommu/virtqueue';
import { DeviceSession, VIRTIO_F_VERSION_1 } from '@viommu/virtqueue/device';
import { createDriverQueue } from '@viommu/virtqueue/driver';
import { describe, expect, it } from 'vitest';
import { DmaHold } from './dma-hold.ts';

const SIZE = 8;
const UP = 0xf;

/** A source of random bytes, and a driver that asks it for some. */
function createSource(hold: DmaHold, address: number, memory: ArrayGuestMemory) {
  let filled = 0;
  const device = new VirtioEntropyDevice({
    fillRandom: () => {
      filled += 1;
    },
  });
  const interrupts = { usedBuffer() {}, configChange() {} };
  const session = new DeviceSession({ device, memory, interrupts, queueGate: hold.gate() });
  const driver = createDriverQueue({ features: 0n, size: SIZE, memory, address });
  session.writeDriverFeatures(1, Number(VIRTIO_F_VERSION_1 >> 32n));
  session.writeStatus(0xb);
  const queue = session.queue(0)!;
  for (const area of ['descriptorArea', 'driverArea', 'deviceArea'] as const) {
    queue.writeAddress(area, 0, driver.addresses[area]);
  }
  queue.size = SIZE;
  queue.enable();
  session.writeStatus(UP);
  return {
    session,
    filled: () => filled,
    ask(count: number) {
      for (let token = 0; token < count; token += 1) {
        driver.add([], [{ address: 0x7000, length: 16 }], token);
      }
      session.notify(0);
    },
  };
}

describe('DmaHold', () => {
  const setting = () => {
    const hold = new DmaHold();
    const memory = new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(0x8000) }]);
    const sources = [0x1000, 0x3000].map((address) => createSource(hold, address, memory));
    const work = () => {
      for (const { session } of sources) session.service();
    };
    return { hold, sources, work, filled: () => sources.map((one) => one.filled()) };
  };

  it('lets everything through as long as it does not hold', () => {
    const { hold, sources, work, filled } = setting();
    sources[0]!.ask(3);
    work();
    expect([hold.isHeld, ...filled()]).toEqual([false, 3, 0]);
    hold.step(work);
    expect(filled()).toEqual([3, 0]);
  });

  it('lets one buffer through at a step, of one device after the other, and all of them in the end', () => {
    const { hold, sources, work, filled } = setting();
    hold.hold();
    sources[0]!.ask(3);
    sources[1]!.ask(2);
    work();
    expect([hold.isHeld, ...filled()]).toEqual([true, 0, 0]);
    const seen = [];
    for (let step = 0; step < 4; step += 1) {
      hold.step(work);
      seen.push(filled());
    }
    expect(seen).toEqual([
      [1, 0],
      [1, 1],
      [2, 1],
      [2, 2],
    ]);
    sources[1]!.ask(1);
    work();
    expect(filled()).toEqual([2, 2]);
    hold.release();
    work();
    expect([hold.isHeld, ...filled()]).toEqual([false, 3, 3]);
  });

  it('does nothing at a step when nothing waits', () => {
    const { hold, sources, work, filled } = setting();
    hold.hold();
    hold.step(work);
    sources[0]!.ask(1);
    work();
    hold.step(work);
    hold.step(work);
    hold.step(work);
    sources[0]!.ask(1);
    work();
    expect(filled()).toEqual([1, 0]);
  });
});
