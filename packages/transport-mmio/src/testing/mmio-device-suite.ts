/** The compliance suite of the MmioDevice contract: what a host relies on, whatever is behind the window. */
import type { AccessWidth } from '@viommu/virtqueue';
import { restoreSnapshots } from '@viommu/virtqueue/snapshot';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { MmioDevice } from '../mmio-device.ts';
import { RecordingMmioHost } from './recording-mmio-host.ts';

/** More portions of work than the accesses of one sequence can ask for: without new kicks, work ends. */
const SERVICE_LIMIT = 1000;

const widths: fc.Arbitrary<AccessWidth> = fc.constantFrom(1, 2, 4);
const values = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 0xb, 0xf, 0xff, 0xffff, 0x8000_0000, 0xffff_ffff),
  fc.nat(0xffff),
);

interface Access {
  readonly offset: number;
  readonly width: AccessWidth;
  /** undefined to read. */
  readonly value: number | undefined;
}

/** @param createDevice makes a device that has no host yet */
export function mmioDeviceSuite(name: string, createDevice: () => MmioDevice): void {
  describe(`MmioDevice: ${name}`, () => {
    let device: MmioDevice;
    let host: RecordingMmioHost;

    beforeEach(() => {
      device = createDevice();
      host = new RecordingMmioHost();
      device.connect(host);
    });

    const bytes = () => Array.from({ length: device.size }, (_, at) => device.read(at, 1));

    it('has a length', () => {
      expect(device.size).toBeGreaterThan(0);
      expect(Number.isInteger(device.size)).toBe(true);
    });

    const anySequence = () => {
      const offsets = fc.oneof(
        fc.nat(device.size + 8),
        fc.nat(device.size >>> 2).map((register) => register * 4),
      );
      const accesses = fc.record({
        offset: offsets,
        width: widths,
        value: fc.option(values, { nil: undefined }),
      });
      return fc.array(accesses, { maxLength: 60 });
    };

    const carryOut = (sequence: readonly Access[]) => {
      for (const { offset, width, value } of sequence) {
        if (value !== undefined) {
          device.write(offset, width, value % 2 ** (8 * width));
          continue;
        }
        const read = device.read(offset, width);
        expect(Number.isInteger(read) && read >= 0 && read < 2 ** (8 * width)).toBe(true);
      }
    };

    it('takes any sequence of accesses without a throw, and its values stay in their width', () => {
      fc.assert(
        fc.property(anySequence(), (sequence) => {
          carryOut(sequence);
          let left = SERVICE_LIMIT;
          while (left > 0 && device.service()) left--;
          expect(left).toBeGreaterThan(0);
        }),
        { numRuns: 300 },
      );
    });

    it('is the same as another into which its snapshot was put, at any moment', () => {
      if (device.snapshot === undefined) return;
      fc.assert(
        fc.property(anySequence(), anySequence(), (before, after) => {
          device.disconnect();
          host = new RecordingMmioHost();
          device.connect(host);
          carryOut(before);
          const snapshot = JSON.parse(JSON.stringify(device.snapshot?.()));
          const other = createDevice();
          const otherHost = new RecordingMmioHost();
          other.connect(otherHost);
          restoreSnapshots([{ name: 'window', target: other, snapshot }]);
          expect(other.snapshot?.()).toEqual(snapshot);
          expect(otherHost.levels.at(-1) ?? false).toBe(host.levels.at(-1) ?? false);
          const first = device;
          carryOut(after);
          device = other;
          carryOut(after);
          device = first;
          expect(other.snapshot?.()).toEqual(JSON.parse(JSON.stringify(first.snapshot?.())));
          expect(otherHost.levels.at(-1) ?? false).toBe(host.levels.at(-1) ?? false);
        }),
        { numRuns: 100 },
      );
    });

    it('refuses a snapshot that is not its own, and is as it was', () => {
      if (device.snapshot === undefined) return;
      device.write(0x70, 4, 1);
      const before = bytes();
      const snapshot = device.snapshot();
      for (const damaged of [null, {}, [], { ...snapshot, version: 99 }]) {
        const part = { name: 'window', target: device, snapshot: damaged };
        expect(() => restoreSnapshots([part])).toThrow(
          expect.objectContaining({ code: 'SNAPSHOT' }),
        );
        expect(bytes()).toEqual(before);
      }
    });

    it('reads 0 beyond its window, and ignores writes there', () => {
      for (const offset of [device.size, device.size + 4, 0x1000_0000]) {
        device.write(offset, 4, 0xffff_ffff);
        expect(device.read(offset, 4)).toBe(0);
      }
    });

    it('drives its signal on changes only, and lets go of it at a reset', () => {
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat(device.size), values)), (writes) => {
          for (const [offset, value] of writes) device.write(offset - (offset % 4), 4, value);
          device.service();
          device.reset();
          host.levels.forEach((level, index) => {
            expect(level).toBe(index % 2 === 0);
          });
          expect(host.levels.length % 2).toBe(0);
        }),
        { numRuns: 100 },
      );
    });

    it('has one host at a time, and starts anew with the next', () => {
      const fresh = bytes();
      expect(() => device.connect(new RecordingMmioHost())).toThrowError();
      device.disconnect();
      device.connect(new RecordingMmioHost());
      expect(bytes()).toEqual(fresh);
    });

    it('answers without a host, too, and interrupts nobody any more', () => {
      device.disconnect();
      const driven = host.levels.length;
      for (let offset = 0; offset < device.size; offset += 4) {
        device.write(offset, 4, 1);
        device.read(offset, 4);
      }
      expect(device.service()).toBe(false);
      expect(host.levels.length).toBe(driven);
    });
  });
}
