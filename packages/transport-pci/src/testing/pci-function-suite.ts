/** The compliance suite of the PciFunction contract: what a host relies on, whatever the function is. */
import type { AccessWidth } from '@viommu/virtqueue';
import { restoreSnapshots } from '@viommu/virtqueue/snapshot';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { PciFunction } from '../pci-function.ts';
import { RecordingHost } from './recording-host.ts';

/** More portions of work than the accesses of one sequence can ask for: without new kicks, work ends. */
const SERVICE_LIMIT = 1000;

const widths: fc.Arbitrary<AccessWidth> = fc.constantFrom(1, 2, 4);
const values = fc.oneof(
  fc.constantFrom(0, 1, 2, 4, 7, 15, 0xff, 0xffff, 0xffffffff),
  fc.nat(0xffff),
);

interface Access {
  /** undefined for configuration space. */
  readonly bar: number | undefined;
  readonly offset: number;
  readonly width: AccessWidth;
  /** undefined to read. */
  readonly value: number | undefined;
}

/** @param createFunction makes a function that has no host yet */
export function pciFunctionSuite(name: string, createFunction: () => PciFunction): void {
  describe(`PciFunction: ${name}`, () => {
    let pci: PciFunction;
    let host: RecordingHost;

    beforeEach(() => {
      pci = createFunction();
      host = new RecordingHost();
      pci.connect(host);
    });

    const bar = (index: number) => 0x10 + 4 * index;
    const configBytes = () => Array.from({ length: 256 }, (_, at) => pci.readConfig(at, 1));

    it('has an identity, header type 0, and the interrupt pin it says', () => {
      expect(pci.readConfig(0x00, 2)).not.toBe(0xffff);
      expect(pci.readConfig(0x0e, 1) & 0x7f).toBe(0);
      expect(pci.readConfig(0x3d, 1)).toBe(pci.interruptPin);
    });

    it('starts with memory decoding and bus mastering off', () => {
      expect(pci.readConfig(0x04, 2)).toBe(0);
    });

    it('answers BAR sizing', () => {
      for (let index = 0; index < 6; index++) {
        const size = pci.bars.find((candidate) => candidate.index === index)?.size;
        pci.writeConfig(bar(index), 4, 0xffffffff);
        expect(pci.readConfig(bar(index), 4) & ~0xf).toBe(size === undefined ? 0 : -size);
      }
    });

    it('keeps the address of a BAR, aligned to its size', () => {
      for (const { index, size } of pci.bars) {
        pci.writeConfig(bar(index), 4, 0xc0000000 + size + 1);
        expect((pci.readConfig(bar(index), 4) & ~0xf) >>> 0).toBe(0xc0000000 + size);
      }
    });

    it('lets no guest change what it is', () => {
      const identity = (bytes: number[]) => [...bytes.slice(0, 4), ...bytes.slice(8, 0x10)];
      const before = configBytes();
      for (let at = 0; at < 0x40; at++) pci.writeConfig(at, 1, before[at]! ^ 0xff);
      const after = configBytes();
      expect(identity(after)).toEqual(identity(before));
      expect(after.slice(0x28, 0x3c)).toEqual(before.slice(0x28, 0x3c));
      expect(after[0x3d]).toBe(before[0x3d]);
    });

    it('has a capability list that ends, inside configuration space', () => {
      const seen = new Set<number>();
      let at = pci.readConfig(0x34, 1);
      while (at !== 0) {
        expect(at).toBeGreaterThanOrEqual(0x40);
        expect(at % 4).toBe(0);
        expect(seen.has(at)).toBe(false);
        seen.add(at);
        at = pci.readConfig(at + 1, 1);
      }
      expect((pci.readConfig(0x06, 2) & 0x10) !== 0).toBe(seen.size > 0);
    });

    it('has an MSI-X capability exactly when it has vectors, its structures inside a BAR', () => {
      let msix: number | undefined;
      for (let at = pci.readConfig(0x34, 1); at !== 0; at = pci.readConfig(at + 1, 1)) {
        if (pci.readConfig(at, 1) === 0x11) msix = at;
      }
      expect(msix !== undefined).toBe(pci.msixVectors > 0);
      if (msix === undefined) return;
      expect((pci.readConfig(msix + 2, 2) & 0x7ff) + 1).toBe(pci.msixVectors);
      for (const [field, length] of [
        [4, 16 * pci.msixVectors],
        [8, 8 * Math.ceil(pci.msixVectors / 64)],
      ] as const) {
        const where = pci.readConfig(msix + field, 4);
        const size = pci.bars.find((candidate) => candidate.index === (where & 7))?.size ?? 0;
        expect((where & ~7) + length).toBeLessThanOrEqual(size);
      }
    });

    it('reads the same bytes in any width', () => {
      const bytes = configBytes();
      for (let at = 0; at < 253; at++) {
        const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(at, at + 4);
        expect(pci.readConfig(at, 2)).toBe(a | (b << 8));
        expect(pci.readConfig(at, 4)).toBe((a | (b << 8) | (c << 16) | (d << 24)) >>> 0);
      }
    });

    const anySequence = () => {
      const places = [
        { bar: undefined, size: 256 },
        ...pci.bars.map((one) => ({ bar: one.index as number | undefined, size: one.size })),
      ];
      const offsets = (size: number) =>
        fc.oneof(
          fc.nat(size + 8),
          fc.tuple(fc.nat(size / 64), fc.nat(63)).map(([line, at]) => line * 64 + at),
          fc.tuple(fc.nat(size >>> 12), fc.nat(0x40)).map(([page, at]) => page * 4096 + at),
        );
      const accesses = fc
        .nat(places.length - 1)
        .map((index) => places[index]!)
        .chain(({ bar: index, size }) =>
          fc.record({
            bar: fc.constant(index),
            offset: offsets(size),
            width: widths,
            value: fc.option(values, { nil: undefined }),
          }),
        );
      return fc.array(accesses, { maxLength: 60 });
    };

    const carryOut = (sequence: readonly Access[]) => {
      for (const { bar: index, offset, width, value } of sequence) {
        if (value !== undefined) {
          const written = value % 2 ** (8 * width);
          if (index === undefined) pci.writeConfig(offset, width, written);
          else pci.writeBar(index, offset, width, written);
          continue;
        }
        const read =
          index === undefined ? pci.readConfig(offset, width) : pci.readBar(index, offset, width);
        expect(Number.isInteger(read) && read >= 0 && read < 2 ** (8 * width)).toBe(true);
      }
    };

    it('takes any sequence of accesses without a throw, and its values stay in their width', () => {
      fc.assert(
        fc.property(anySequence(), (sequence) => {
          carryOut(sequence);
          let left = SERVICE_LIMIT;
          while (left > 0 && pci.service()) left--;
          expect(left).toBeGreaterThan(0);
        }),
        { numRuns: 200 },
      );
    });

    it('is the same as another into which its snapshot was put, at any moment', () => {
      if (pci.snapshot === undefined) return;
      fc.assert(
        fc.property(anySequence(), anySequence(), (before, after) => {
          pci.disconnect();
          pci.connect(new RecordingHost());
          carryOut(before);
          const snapshot = JSON.parse(JSON.stringify(pci.snapshot?.()));
          const other = createFunction();
          const otherHost = new RecordingHost();
          other.connect(otherHost);
          restoreSnapshots([{ name: 'function', target: other, snapshot }]);
          expect(other.snapshot?.()).toEqual(snapshot);
          expect(Array.from({ length: 256 }, (_, at) => other.readConfig(at, 1))).toEqual(
            configBytes(),
          );
          const first = pci;
          carryOut(after);
          pci = other;
          carryOut(after);
          pci = first;
          expect(other.snapshot?.()).toEqual(JSON.parse(JSON.stringify(first.snapshot?.())));
        }),
        { numRuns: 100 },
      );
    });

    it('refuses a snapshot that is not its own, and is as it was', () => {
      if (pci.snapshot === undefined) return;
      pci.writeConfig(0x04, 2, 0x0002);
      const before = configBytes();
      const snapshot = pci.snapshot();
      for (const damaged of [
        null,
        {},
        [],
        { ...snapshot, version: 99 },
        { ...snapshot, config: '' },
      ]) {
        const part = { name: 'function', target: pci, snapshot: damaged };
        expect(() => restoreSnapshots([part])).toThrow(
          expect.objectContaining({ code: 'SNAPSHOT' }),
        );
        expect(configBytes()).toEqual(before);
      }
    });

    it('reads 0 from BARs that it does not have, and ignores writes there', () => {
      const absent = [0, 1, 2, 3, 4, 5].filter((index) =>
        pci.bars.every((one) => one.index !== index),
      );
      for (const index of absent) {
        pci.writeBar(index, 0, 4, 0xffffffff);
        expect(pci.readBar(index, 0, 4)).toBe(0);
      }
    });

    it('reset brings configuration space back, also the second time', () => {
      const fresh = configBytes();
      for (const [at, value] of [
        [0x04, 0xff],
        [0x05, 0xff],
        [0x3c, 0x0b],
        [0x11, 0xc0],
      ] as const) {
        pci.writeConfig(at, 1, value);
      }
      expect(configBytes()).not.toEqual(fresh);
      pci.reset();
      expect(configBytes()).toEqual(fresh);
      pci.reset();
      expect(configBytes()).toEqual(fresh);
    });

    it('has one host at a time, and starts anew with the next', () => {
      const fresh = configBytes();
      expect(() => pci.connect(new RecordingHost())).toThrowError();
      pci.writeConfig(0x04, 2, 0x0006);
      pci.disconnect();
      expect(configBytes()).toEqual(fresh);
      pci.writeConfig(0x04, 2, 0x0006);
      pci.connect(new RecordingHost());
      expect(configBytes()).toEqual(fresh);
    });

    it('answers without a host, too, and interrupts nobody any more', () => {
      pci.disconnect();
      const driven = host.intxLevels.length;
      pci.writeConfig(0x04, 2, 0x0006);
      expect(pci.readConfig(0x04, 2)).toBe(0x0006);
      for (const { index } of pci.bars) pci.readBar(index, 0, 4);
      expect(pci.service()).toBe(false);
      expect(host.messages).toEqual([]);
      expect(host.intxLevels.length).toBe(driven);
    });
  });
}
