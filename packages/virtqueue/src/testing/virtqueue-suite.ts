/** virtqueueSuite: what every Virtqueue must do for its device, whatever the ring's format; told from both of its ends. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { BufferSegment, DriverQueue, IndirectTable } from '../driver/driver-queue.ts';
import { createDescriptorChain } from '../ring/descriptor-chain.ts';
import { drainQueue } from '../ring/drain-queue.ts';
import { CHAIN_KEPT, type DescriptorChain, type Virtqueue } from '../ring/virtqueue.ts';

/** Both ends of an empty queue, with EVENT_IDX or not and with INDIRECT_DESC. */
export interface VirtqueueSubject {
  readonly queue: Virtqueue;
  readonly driver: DriverQueue;
  /** 128 bytes for an indirect table. */
  readonly table: IndirectTable;
}

export interface VirtqueueSuiteOptions {
  readonly size: number;
  readonly eventIdx: boolean;
}

export function virtqueueSuite(
  name: string,
  factory: (options: VirtqueueSuiteOptions) => VirtqueueSubject,
): void {
  describe.each([false, true])(`Virtqueue: ${name}, EVENT_IDX %s`, (eventIdx) => {
    let queue: Virtqueue;
    let driver: DriverQueue;
    let table: IndirectTable;
    let chain: DescriptorChain;
    const used = { token: -1, length: -1 };

    const create = (size: number) => {
      ({ queue, driver, table } = factory({ size, eventIdx }));
      chain = createDescriptorChain(size);
    };
    beforeEach(() => create(8));

    const one = (address: number, length = 16): BufferSegment[] => [{ address, length }];
    const segments = () =>
      Array.from({ length: chain.count }, (_, index) => [
        chain.addresses[index],
        chain.lengths[index],
      ]);

    it('is empty at first', () => {
      expect(queue.pop(chain)).toBe(false);
      expect(driver.takeUsed(used)).toBe(false);
      expect([queue.broken, queue.size]).toEqual([false, 8]);
    });

    it('hands out the segments of a buffer, readable before writable', () => {
      driver.add(
        [
          { address: 0x1_2345_6789, length: 7 },
          { address: 0x10, length: 0xffff_0000 },
        ],
        one(2 ** 51 + 1, 1),
        5,
      );
      expect(queue.pop(chain)).toBe(true);
      expect(segments()).toEqual([
        [0x1_2345_6789, 7],
        [0x10, 0xffff_0000],
        [2 ** 51 + 1, 1],
      ]);
      expect([chain.readableCount, chain.readableLength, chain.writableLength]).toEqual([
        2, 0xffff_0007, 1,
      ]);
      expect(queue.pop(chain)).toBe(false);
    });

    it('hands out the segments of an indirect table, which takes one descriptor', () => {
      const readable = Array.from({ length: 7 }, (_, index) => ({ address: index, length: index }));
      for (const writable of [one(2 ** 51 + 1, 1), one(0x10, 2)]) {
        expect(driver.addIndirect(table, readable, writable, 5)).toBe(true);
        expect(driver.freeCount).toBe(7);
        expect(queue.pop(chain)).toBe(true);
        expect(segments()).toEqual(
          [...readable, ...writable].map(({ address, length }) => [address, length]),
        );
        expect([chain.readableCount, chain.readableLength]).toEqual([7, 21]);
        expect(chain.writableLength).toBe(writable[0]!.length);
        queue.pushUsed(chain.head, 1);
        expect(driver.takeUsed(used)).toBe(true);
        expect([used, driver.freeCount]).toEqual([{ token: 5, length: 1 }, 8]);
      }
    });

    it('takes a buffer of 2^32 bytes', () => {
      driver.add(one(0, 0xffff_ffff), one(0, 1), 0);
      expect(queue.pop(chain)).toBe(true);
      expect([chain.readableLength, chain.writableLength]).toEqual([0xffff_ffff, 1]);
    });

    it('takes buffers of one direction, and empty segments', () => {
      driver.add(one(1, 0), [], 0);
      driver.add([], one(2, 3), 1);
      queue.pop(chain);
      expect([chain.count, chain.readableCount, chain.readableLength]).toEqual([1, 1, 0]);
      queue.pop(chain);
      expect([chain.count, chain.readableCount, chain.writableLength]).toEqual([1, 0, 3]);
    });

    it('hands buffers out in the order in which they came, and back in any', () => {
      for (let token = 0; token < 4; token += 1) driver.add(one(token), one(token), token);
      expect(driver.add(one(9), [], 9)).toBe(false);
      const heads: number[] = [];
      for (let index = 0; index < 4; index += 1) {
        queue.pop(chain);
        expect(chain.addresses[0]).toBe(index);
        heads.push(chain.head);
      }
      for (const index of [2, 0, 3, 1]) queue.pushUsed(heads[index]!, 100 + index);
      for (const index of [2, 0, 3, 1]) {
        expect(driver.takeUsed(used)).toBe(true);
        expect(used).toEqual({ token: index, length: 100 + index });
      }
      expect(driver.takeUsed(used)).toBe(false);
      expect(driver.freeCount).toBe(8);
    });

    it('hands several buffers back at once, around the end of the ring', () => {
      const heads = new Uint16Array(8);
      const lengths = new Uint32Array(8);
      for (let token = 0; token < 30; token += 3) {
        for (let index = 0; index < 3; index += 1) {
          driver.add([], one(token + index, 64), token + index);
          queue.pop(chain);
          heads[index] = chain.head;
          lengths[index] = token + index;
        }
        queue.pushUsedTogether(heads, lengths, 3);
        for (let index = 0; index < 3; index += 1) {
          expect(driver.takeUsed(used)).toBe(true);
          expect(used).toEqual({ token: token + index, length: token + index });
        }
        expect(driver.takeUsed(used)).toBe(false);
      }
    });

    it('interrupts once for several buffers that came back at once, whichever the driver waits for', () => {
      const heads = new Uint16Array(3);
      const pushThree = (length: number) => {
        for (let index = 0; index < 3; index += 1) {
          driver.add([], one(index, 64), index);
          queue.pop(chain);
          heads[index] = chain.head;
        }
        queue.pushUsedTogether(heads, new Uint32Array(3).fill(length), 3);
      };
      for (let round = 0; round < 12; round += 1) {
        driver.enableInterrupts(true);
        pushThree(round);
        expect([queue.shouldInterrupt(), queue.shouldInterrupt()]).toEqual([true, false]);
        // With EVENT_IDX the driver waits for the first of them, and has not looked at it.
        while (round % 2 === 1 && driver.takeUsed(used)) expect(used.length).toBe(round);
        queue.pushUsedTogether(heads, new Uint32Array(3), 0);
        expect(queue.shouldInterrupt()).toBe(false);
        if (round % 2 === 1) driver.enableInterrupts(false);
        if (round % 2 === 1) pushThree(round);
        expect(queue.shouldInterrupt()).toBe(false);
        while (driver.takeUsed(used)) {}
        expect(driver.freeCount).toBe(8);
      }
    });

    it.each([1, 2, 4, 256, 4096, 32768])('is filled to its size of %d, and emptied', (size) => {
      create(size);
      for (let token = 0; token < size; token += 1) {
        expect(driver.add(one(token), [], token)).toBe(true);
      }
      expect(driver.add(one(0), [], 0)).toBe(false);
      for (let token = 0; token < size; token += 1) {
        expect(queue.pop(chain)).toBe(true);
        if (chain.addresses[0] !== token) throw new Error(`buffer ${token} is out of order`);
        queue.pushUsed(chain.head, token);
      }
      expect(queue.pop(chain)).toBe(false);
      for (let token = 0; token < size; token += 1) {
        if (!driver.takeUsed(used) || used.token !== token) throw new Error(`no buffer ${token}`);
      }
      expect(driver.freeCount).toBe(size);
    });

    it('a chain fills the whole queue', () => {
      const half = Array.from({ length: 4 }, (_, index) => ({ address: index, length: 1 }));
      expect(driver.add(half, half, 0)).toBe(true);
      expect(queue.pop(chain)).toBe(true);
      expect([chain.count, chain.readableCount]).toEqual([8, 4]);
    });

    it('goes on when its indices wrap', () => {
      for (let token = 0; token < 140_000; token += 1) {
        driver.add(one(token), [], token);
        if (!queue.pop(chain) || chain.addresses[0] !== token) throw new Error(`lost ${token}`);
        queue.pushUsed(chain.head, token);
        if (!driver.takeUsed(used) || used.token !== token) throw new Error(`not back: ${token}`);
      }
      expect(queue.broken).toBe(false);
    });

    it('interrupts for what the driver waits for, once', () => {
      const push = () => {
        driver.add(one(0), [], 0);
        queue.pop(chain);
        queue.pushUsed(chain.head, 0);
      };
      expect(queue.shouldInterrupt()).toBe(false);
      driver.enableInterrupts(true);
      push();
      push();
      expect(queue.shouldInterrupt()).toBe(true);
      expect(queue.shouldInterrupt()).toBe(false);
      while (driver.takeUsed(used)) {}
      driver.enableInterrupts(false);
      push();
      expect(queue.shouldInterrupt()).toBe(false);
      driver.takeUsed(used);
      driver.enableInterrupts(true);
      push();
      expect(queue.shouldInterrupt()).toBe(true);
    });

    it('is kicked only while it wants to be', () => {
      queue.enableNotifications();
      driver.add(one(0), [], 0);
      expect(driver.shouldNotify()).toBe(true);
      expect(driver.shouldNotify()).toBe(false);
      queue.disableNotifications();
      driver.add(one(0), [], 0);
      expect(driver.shouldNotify()).toBe(false);
      while (queue.pop(chain)) {}
      expect(queue.enableNotifications()).toBe(false);
      driver.add(one(0), [], 0);
      expect(driver.shouldNotify()).toBe(true);
    });

    it('says what came while nobody was to kick', () => {
      queue.disableNotifications();
      driver.add(one(0), [], 0);
      driver.shouldNotify();
      expect(queue.enableNotifications()).toBe(true);
    });

    it('asks for no kick while it is polled, and interrupts before', () => {
      const interrupts: number[] = [];
      const sink = { usedBuffer: (index: number) => interrupts.push(index), configChange() {} };
      const asked: boolean[] = [];
      // True three times, then false.
      const poll = { goesOn: (_: unknown, worked: boolean) => asked.push(worked) < 4 };
      const drain = () => drainQueue(queue, chain, { handleChain: () => 0 }, sink, { poll });
      const next = () => {
        while (driver.takeUsed(used)) {}
        driver.enableInterrupts(true);
        driver.add(one(1), [], 1);
        return driver.shouldNotify();
      };
      expect([next(), drain(), next(), drain()]).toEqual([true, true, false, true]);
      expect(interrupts).toEqual([queue.index, queue.index]);
      expect([drain(), drain(), next()]).toEqual([true, false, true]);
      expect(asked).toEqual([true, true, false, false]);
    });

    it('is drained in portions, with one interrupt each', () => {
      const interrupts: number[] = [];
      const sink = { usedBuffer: (index: number) => interrupts.push(index), configChange() {} };
      const seen: number[] = [];
      const handler = {
        handleChain({ addresses, head }: DescriptorChain) {
          const address = addresses[0]!;
          seen.push(address);
          if (address !== 2) return address;
          kept = head;
          return CHAIN_KEPT;
        },
      };
      let kept = -1;
      driver.enableInterrupts(true);
      for (let token = 1; token <= 6; token += 1) driver.add(one(token), [], token);
      expect(drainQueue(queue, chain, handler, sink, { budget: 4 })).toBe(true);
      expect([seen, interrupts]).toEqual([[1, 2, 3, 4], [queue.index]]);
      while (driver.takeUsed(used)) {}
      driver.enableInterrupts(true);
      expect(drainQueue(queue, chain, handler, sink, { budget: 4 })).toBe(false);
      expect([seen.length, interrupts.length]).toEqual([6, 2]);
      while (driver.takeUsed(used)) {}
      queue.pushUsed(kept, 22);
      expect(driver.takeUsed(used)).toBe(true);
      expect(used).toEqual({ token: 2, length: 22 });
    });
  });
}
