/** The models themselves, by examples that the standard's words decide. */
import { beforeEach, describe, expect, it } from 'vitest';
import { GuestArena } from '../memory/guest-arena.ts';
import { isLegalChain } from './chain-rules.ts';
import { IommuModel } from './iommu-model.ts';
import { PackedModel } from './packed-model.ts';
import { RequestModel } from './request-model.ts';
import { SplitModel } from './split-model.ts';

const PLACE = {
  size: 4,
  descriptorArea: 0x100,
  driverArea: 0x200,
  deviceArea: 0x300,
  indirect: true,
  eventIdx: true,
};
let arena: GuestArena;

beforeEach(() => {
  arena = new GuestArena([{ base: 0, offset: 0, length: 0x1000 }], new ArrayBuffer(0x1000));
});

/** The last four bytes as two fields: flags and next, or ID and flags. */
function descriptor(at: number, address: number, length: number, first: number, second: number) {
  [address, 0, length].forEach((word, index) => {
    arena.put(at + 4 * index, word, 4);
  });
  arena.put(at + 12, first, 2);
  arena.put(at + 14, second, 2);
}

it('a chain is legal up to 2^32 bytes, readable segments first', () => {
  const segment = (length: number, isWritable: boolean) => ({ address: 0, length, isWritable });
  expect(isLegalChain([segment(0xffff_ffff, false), segment(1, true)], 2)).toBe(true);
  expect(isLegalChain([segment(0xffff_ffff, false), segment(2, true)], 2)).toBe(false);
  expect(isLegalChain([segment(1, true), segment(1, false)], 2)).toBe(false);
  expect(isLegalChain([segment(1, true), segment(1, true)], 1)).toBe(false);
});

describe('SplitModel', () => {
  it('takes a chain, gives it back, and interrupts for the one that is waited for', () => {
    const model = new SplitModel(arena, PLACE);
    descriptor(0x130, 0x50, 5, 1, 1);
    descriptor(0x110, 0x60, 6, 2, 0);
    arena.put(0x204, 3, 2);
    arena.put(0x202, 1, 2);
    expect(model.pop()).toEqual({
      head: 3,
      segments: [
        { address: 0x50, length: 5, isWritable: false },
        { address: 0x60, length: 6, isWritable: true },
      ],
    });
    expect([model.pop(), model.broken]).toEqual([undefined, false]);
    model.pushUsedTogether([{ head: 3, length: 6 }]);
    expect([0x302, 0x304, 0x308].map((at) => arena.expected(at, 2))).toEqual([1, 3, 6]);
    expect([model.shouldInterrupt(), model.shouldInterrupt()]).toEqual([true, false]);
    model.enableNotifications();
    expect(arena.expected(0x304 + 8 * 4, 2)).toBe(1);
  });

  it('interrupts when used_event is among what was given back, around the end of the index', () => {
    const model = new SplitModel(arena, PLACE);
    const push = (count: number) => {
      for (let left = count; left > 0; left -= 1) model.pushUsedTogether([{ head: 0, length: 0 }]);
    };
    push(65534);
    model.shouldInterrupt();
    arena.put(0x20c, 1, 2);
    push(3);
    expect(model.shouldInterrupt()).toBe(false);
    push(1);
    expect(model.shouldInterrupt()).toBe(true);
    push(1);
    expect(model.shouldInterrupt()).toBe(false);
  });

  it.each<[string, () => void]>([
    ['an index that jumps', () => arena.put(0x202, 5, 2)],
    ['a head beyond the queue', () => arena.put(0x204, 4, 2)],
    ['a loop', () => descriptor(0x100, 0, 1, 1, 0)],
    [
      'an indirect table in another',
      () => {
        descriptor(0x100, 0x400, 16, 4, 0);
        descriptor(0x400, 0x400, 16, 4, 0);
      },
    ],
    ['an indirect table of no entries', () => descriptor(0x100, 0x400, 0, 4, 0)],
    ['an indirect table that is not there', () => descriptor(0x100, 0xff8, 16, 4, 0)],
  ])('breaks at %s', (_name, write) => {
    const model = new SplitModel(arena, PLACE);
    arena.put(0x202, 1, 2);
    write();
    expect([model.pop(), model.broken]).toEqual([undefined, true]);
  });
});

describe('PackedModel', () => {
  const at = (index: number) => 0x100 + 16 * index;

  it('goes around a ring of three, with its wrap counter', () => {
    const model = new PackedModel(arena, { ...PLACE, size: 3 });
    descriptor(at(0), 0x50, 5, 9, 0x81);
    descriptor(at(1), 0x60, 6, 2, 0x82);
    expect(model.pop()).toMatchObject({ head: 2, segments: [{ address: 0x50 }, { length: 6 }] });
    expect(model.pop()).toBeUndefined();
    model.pushUsedTogether([{ head: 2, length: 6 }]);
    expect([arena.expected(at(0) + 12, 2), arena.expected(at(0) + 14, 2)]).toEqual([2, 0x8082]);
    descriptor(at(2), 0x70, 7, 0, 0x81);
    descriptor(at(0), 0x80, 8, 1, 0x8000);
    expect(model.pop()).toMatchObject({ head: 1, segments: [{ length: 7 }, { length: 8 }] });
    model.enableNotifications();
    expect([arena.expected(0x300, 2), arena.expected(0x302, 2)]).toEqual([1, 2]);
    model.pushUsedTogether([{ head: 1, length: 0 }]);
    expect(arena.expected(at(2) + 14, 2)).toBe(0x8080);
  });

  it('interrupts for the descriptor that is waited for', () => {
    const model = new PackedModel(arena, { ...PLACE, size: 3 });
    const pass = () => {
      model.pushUsedTogether([{ head: model.pop()!.head, length: 1 }]);
      return model.shouldInterrupt();
    };
    for (const index of [0, 1, 2]) descriptor(at(index), 0, 1, index, 0x80);
    arena.put(0x200, 0x8001, 2);
    arena.put(0x202, 2, 2);
    expect([pass(), pass(), pass()]).toEqual([false, true, false]);
  });

  it.each<[string, () => void]>([
    ['an ID beyond the queue', () => descriptor(at(0), 0, 1, 4, 0x80)],
    ['a list that goes on in what is not available', () => descriptor(at(0), 0, 1, 0, 0x81)],
    ['an indirect descriptor in a list', () => descriptor(at(0), 0x400, 16, 0, 0x85)],
  ])('breaks at %s', (_name, write) => {
    const model = new PackedModel(arena, PLACE);
    write();
    expect([model.pop(), model.broken]).toEqual([undefined, true]);
  });
});

describe('IommuModel and RequestModel', () => {
  const limits = {
    granule: 16,
    input: { start: 0x10, end: 0xfff },
    domain: { start: 0, end: 3 },
    maxMappings: 2,
  };
  const features = { mapUnmap: true, mmio: false, bypassConfig: true };
  let iommu: IommuModel;

  beforeEach(() => {
    iommu = new IommuModel({ ...limits, ...features });
    iommu.endpoints.set(8, []);
    iommu.endpoints.set(9, [{ subtype: 1, start: 0x40, end: 0x4f }]);
  });

  it('maps, translates, refuses to split, and forgets with the last endpoint', () => {
    expect(iommu.map(1, { start: 0x20, end: 0x3f, phys: 0x100, flags: 1 })).toBe(6);
    expect([iommu.attach(1, 8, 0, 0), iommu.attach(1, 8, 0, 1), iommu.attach(4, 8, 0, 0)]).toEqual([
      0, 4, 5,
    ]);
    expect(iommu.map(1, { start: 0x20, end: 0x3f, phys: 0x100, flags: 1 })).toBe(0);
    expect(iommu.translate(8, 0x3f, 1)).toEqual({ phys: 0x11f, last: 0x3f, bypass: false });
    expect([iommu.translate(8, 0x40, 1), iommu.translate(8, 0x3f, 2)]).toEqual([
      { fault: 2 },
      { fault: 2 },
    ]);
    expect(iommu.unmap(1, 0x20, 0x2f)).toBe(5);
    expect(iommu.unmap(1, 0, 2 ** 53 - 1)).toBe(0);
    expect(iommu.mappings.length).toBe(0);
    expect(iommu.map(1, { start: 0x20, end: 0x2f, phys: 0, flags: 3 })).toBe(0);
    expect(iommu.detach(1, 8)).toBe(0);
    expect([iommu.mappings.length, iommu.unmap(1, 0, 1)]).toEqual([0, 6]);
  });

  it('keeps endpoints away from what is reserved for them', () => {
    iommu.attach(1, 9, 0, 0);
    expect(iommu.map(1, { start: 0x40, end: 0x4f, phys: 0, flags: 3 })).toBe(4);
    iommu.attach(2, 8, 0, 0);
    expect(iommu.map(2, { start: 0x40, end: 0x4f, phys: 0, flags: 3 })).toBe(0);
    expect(iommu.attach(2, 9, 0, 0)).toBe(2);
  });

  it('has endpoints in no domain bypass, or not', () => {
    expect(iommu.translate(8, 5, 3)).toMatchObject({ phys: 5, bypass: true });
    iommu.bypass = false;
    expect(iommu.translate(8, 5, 3)).toEqual({ fault: 1 });
    iommu.bypass = true;
    expect(iommu.translate(7, 5, 3)).toEqual({ fault: 1 });
  });

  it('answers PROBE in pieces, and nothing to what is too short', () => {
    const model = new RequestModel(arena, iommu, features, 24);
    arena.put(0x500, 5, 1);
    arena.put(0x504, 9, 4);
    const writable = [
      { address: 0x600, length: 5 },
      { address: 0x700, length: 23 },
    ];
    const readable = [{ address: 0x500, length: 72 }];
    expect(model.answer({ readable, writable })).toEqual({ status: 0, used: 28, isTorn: false });
    expect([0x600, 0x602, 0x604].map((at) => arena.expected(at, 1))).toEqual([1, 20, 1]);
    expect(arena.expected(0x700 + 3, 4)).toBe(0x40);
    expect(model.answer({ readable: [{ address: 0x500, length: 71 }], writable })).toMatchObject({
      status: -1,
      used: 0,
    });
    expect(model.answer({ readable, writable: [{ address: 0xffe, length: 4 }] })).toEqual({
      status: 4,
      used: 0,
      isTorn: true,
    });
  });
});
