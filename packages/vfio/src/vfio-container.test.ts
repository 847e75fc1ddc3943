import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { UserMemory } from './user-memory.ts';
import { VfioContainer, type VfioContainerOptions } from './vfio-container.ts';
import type { VfioGroup, VfioIommu } from './vfio-iommu.ts';

const READ = 1;
const WRITE = 2;
const ENOMEM = 12;
const EFAULT = 14;
const EEXIST = 17;
const EINVAL = 22;
const ENOSPC = 28;
const PAGE = 0x1000;

/** Remembers pages, and refuses from a number of mappings on. */
class FakeIommu implements VfioIommu {
  readonly pageSizeMask = 0x20_1000n;
  readonly iovaRanges = [
    { start: 0, end: 0xfedf_ffff },
    { start: 0xfef0_0000, end: 2 ** 48 - 1 },
  ];
  readonly pages = new Map<number, { physical: number; flags: number }>();
  readonly attached: VfioGroup[] = [];
  attachAnswer = 0;
  mapsLeft = Number.POSITIVE_INFINITY;

  attachGroup(group: VfioGroup): number {
    if (this.attachAnswer === 0) this.attached.push(group);
    return this.attachAnswer;
  }

  detachGroup(group: VfioGroup): void {
    this.attached.splice(this.attached.indexOf(group), 1);
  }

  map(iova: number, iovaEnd: number, physical: number, flags: number): number {
    if (this.mapsLeft === 0) return -ENOMEM;
    this.mapsLeft -= 1;
    for (let offset = 0; iova + offset <= iovaEnd; offset += PAGE) {
      expect(this.pages.has(iova + offset)).toBe(false);
      this.pages.set(iova + offset, { physical: physical + offset, flags });
    }
    return 0;
  }

  unmap(iova: number, iovaEnd: number): void {
    for (let page = iova; page <= iovaEnd; page += PAGE) expect(this.pages.delete(page)).toBe(true);
  }
}

/** User pages from 0x10000 to 0xfffff, two at a time physically contiguous, each pair before the one below it. */
const userMemory: UserMemory = {
  pin(userAddress, length, flags, out) {
    if (userAddress < 0x10000 || userAddress > 0xfffff) return false;
    const isRom = userAddress >= 0xf0000;
    if (isRom && (flags & WRITE) !== 0) return false;
    const pair = Math.floor(userAddress / (2 * PAGE));
    const inPair = userAddress % (2 * PAGE);
    out.physical = 0x10_0000_0000 - pair * 2 * PAGE + inPair;
    out.length = Math.min(length, 2 * PAGE - inPair);
    return true;
  },
};

describe('VfioContainer', () => {
  const group: VfioGroup = { endpoints: [1] };
  let iommu: FakeIommu;
  let container: VfioContainer;
  const create = (options: Partial<VfioContainerOptions> = {}): VfioContainer => {
    const made = new VfioContainer({ iommu, userMemory, ...options });
    expect(made.attachGroup({ endpoints: [2] })).toBe(0);
    return made;
  };

  beforeEach(() => {
    iommu = new FakeIommu();
    container = create();
  });

  it('maps each contiguous run of user memory, and says so', () => {
    const seen: number[][] = [];
    container = create({ observer: { mapped: (...run) => seen.push(run) } });
    expect(container.mapDma(0x11000, 0x40_0000, 4 * PAGE, READ)).toBe(0);
    expect(seen).toEqual([
      [0x40_0000, 0x40_0fff, 0x11000, 0x10_0000_0000 - 0x10000 + PAGE],
      [0x40_1000, 0x40_2fff, 0x12000, 0x10_0000_0000 - 0x12000],
      [0x40_3000, 0x40_3fff, 0x14000, 0x10_0000_0000 - 0x14000],
    ]);
    expect(iommu.pages.get(0x40_2000)).toEqual({
      physical: 0x10_0000_0000 - 0x12000 + PAGE,
      flags: READ,
    });
    expect(iommu.pages.size).toBe(4);
  });

  it.each([
    ['no flag', 0x10000, 0, PAGE, 0],
    ['a flag that is unknown', 0x10000, 0, PAGE, 4],
    ['no byte', 0x10000, 0, 0, READ],
    ['half a page', 0x10000, 0, PAGE / 2, READ],
    ['a user address inside a page', 0x10800, 0, PAGE, READ],
    ['an IOVA inside a page', 0x10000, 0x800, PAGE, READ],
    ['an IOVA that wraps', 0x10000, Number.MAX_SAFE_INTEGER - PAGE + 1, 2 * PAGE, READ],
    ['a user address that wraps', Number.MAX_SAFE_INTEGER - PAGE + 1, 0, 2 * PAGE, READ],
    ['an IOVA that is reserved', 0x10000, 0xfee0_0000, PAGE, READ],
    ['an IOVA range that reaches into a reserved one', 0x10000, 0xfedf_f000, 2 * PAGE, READ],
    ['an IOVA beyond the IOMMU', 0x10000, 2 ** 48, PAGE, READ],
    ['a negative IOVA', 0x10000, -PAGE, PAGE, READ],
    ['a number that is none', Number.NaN, 0, PAGE, READ],
  ])('refuses %s', (_, userAddress, iova, size, flags) => {
    expect(container.mapDma(userAddress, iova, size, flags)).toBe(-EINVAL);
    expect(iommu.pages.size).toBe(0);
  });

  it('maps nothing before it has a group, and unmaps nothing', () => {
    const empty = new VfioContainer({ iommu, userMemory });
    expect(empty.mapDma(0x10000, 0, PAGE, READ)).toBe(-EINVAL);
    expect(empty.unmapDma(0, PAGE)).toBe(-EINVAL);
    expect(empty.detachGroup(group)).toBe(-EINVAL);
  });

  it('maps no address twice', () => {
    container.mapDma(0x10000, 0x4000, 2 * PAGE, READ);
    for (const [iova, size] of [
      [0x3000, 2],
      [0x5000, 1],
      [0x5000, 4],
      [0x0000, 16],
    ] as const) {
      expect(container.mapDma(0x20000, iova, size * PAGE, READ)).toBe(-EEXIST);
    }
    expect(container.mapDma(0x20000, 0x3000, PAGE, READ)).toBe(0);
    expect(container.mapDma(0x20000, 0x6000, PAGE, READ)).toBe(0);
  });

  it('has as many entries as its limit, and says how many are left', () => {
    container = create({ dmaEntryLimit: 2 });
    container.mapDma(0x10000, 0x0000, 4 * PAGE, READ);
    expect(container.info.dmaAvailable).toBe(1);
    container.mapDma(0x10000, 0x8000, PAGE, READ);
    expect(container.mapDma(0x10000, 0x9000, PAGE, READ)).toBe(-ENOSPC);
    expect(container.mapDma(0x10000, 0x8000, PAGE, READ)).toBe(-EEXIST);
    expect(container.unmapDma(0x0000, 4 * PAGE)).toBe(4 * PAGE);
    expect(container.mapDma(0x10000, 0x9000, PAGE, READ)).toBe(0);
    expect(container.info).toEqual({
      pageSizeMask: 0x20_1000n,
      iovaRanges: iommu.iovaRanges,
      dmaAvailable: 0,
    });
  });

  it('allows the kernel default of 65535 entries', () => {
    expect(container.info.dmaAvailable).toBe(65535);
  });

  it.each([
    ['memory that is not there', 0xff000, 2 * PAGE, READ, -EFAULT],
    ['memory that is not there at all', 0x200000, PAGE, READ, -EFAULT],
    ['write access to what is read-only', 0xef000, 2 * PAGE, READ | WRITE, -EFAULT],
  ])('takes back what it had mapped of %s', (_, userAddress, size, flags, answer) => {
    expect(container.mapDma(userAddress, 0x8000, size, flags)).toBe(answer);
    expect(iommu.pages.size).toBe(0);
    expect(container.mapDma(0x10000, 0x8000, PAGE, READ)).toBe(0);
  });

  it('takes back what it had mapped when the IOMMU refuses', () => {
    iommu.mapsLeft = 2;
    expect(container.mapDma(0x10000, 0x8000, 6 * PAGE, READ)).toBe(-ENOMEM);
    expect(iommu.pages.size).toBe(0);
    expect(container.info.dmaAvailable).toBe(65535);
  });

  it('unmaps whole mappings, and tells how much that was', () => {
    container.mapDma(0x10000, 0x4000, 2 * PAGE, READ);
    container.mapDma(0x10000, 0x6000, PAGE, READ);
    container.mapDma(0x10000, 0x9000, 2 * PAGE, READ);
    expect(container.unmapDma(0x5000, 2 * PAGE)).toBe(-EINVAL);
    expect(container.unmapDma(0x4000, PAGE)).toBe(-EINVAL);
    expect(container.unmapDma(0x3000, 7 * PAGE)).toBe(-EINVAL);
    expect(container.unmapDma(0x4000, PAGE / 2)).toBe(-EINVAL);
    expect(container.unmapDma(0x4000, 0)).toBe(-EINVAL);
    expect(iommu.pages.size).toBe(5);
    expect(container.unmapDma(0x7000, 2 * PAGE)).toBe(0);
    expect(container.unmapDma(0x3000, 6 * PAGE)).toBe(3 * PAGE);
    expect([...iommu.pages.keys()]).toEqual([0x9000, 0xa000]);
    expect(container.unmapAll()).toBe(2 * PAGE);
    expect(iommu.pages.size).toBe(0);
  });

  it('has a group to itself', () => {
    expect(container.attachGroup(group)).toBe(0);
    expect(container.attachGroup(group)).toBe(-EINVAL);
    expect(create().attachGroup(group)).toBe(-EINVAL);
    expect(container.detachGroup(group)).toBe(0);
    expect(container.detachGroup(group)).toBe(-EINVAL);
    expect(create().attachGroup(group)).toBe(0);
  });

  it('does not have a group that the IOMMU refuses', () => {
    const empty = new VfioContainer({ iommu, userMemory });
    const refused: VfioGroup = { endpoints: [9] };
    iommu.attachAnswer = -ENOMEM;
    expect(empty.attachGroup(refused)).toBe(-ENOMEM);
    expect(empty.mapDma(0x10000, 0, PAGE, READ)).toBe(-EINVAL);
    iommu.attachAnswer = 0;
    expect(empty.attachGroup(refused)).toBe(0);
  });

  it('forgets its mappings with its last group', () => {
    const empty = new VfioContainer({ iommu, userMemory });
    const [one, other]: VfioGroup[] = [{ endpoints: [3] }, { endpoints: [4] }];
    empty.attachGroup(one!);
    empty.attachGroup(other!);
    empty.mapDma(0x10000, 0, PAGE, READ);
    empty.detachGroup(one!);
    expect(iommu.pages.size).toBe(1);
    empty.detachGroup(other!);
    expect(iommu.pages.size).toBe(0);
    expect(iommu.attached).toEqual([{ endpoints: [2] }]);
  });

  it('agrees with a model that keeps whole mappings in a list', () => {
    const page = fc.integer({ min: 0, max: 24 });
    const size = fc.integer({ min: 1, max: 6 });
    const action = fc.record({ unmap: fc.boolean(), page, size });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        iommu = new FakeIommu();
        container = create();
        let model: { start: number; end: number }[] = [];
        for (const { unmap, page: first, size: pages } of actions) {
          const start = first * PAGE;
          const end = start + pages * PAGE - 1;
          const touched = model.filter((entry) => entry.start <= end && start <= entry.end);
          if (!unmap) {
            const expected = touched.length === 0 ? 0 : -EEXIST;
            expect(container.mapDma(0x20000, start, pages * PAGE, READ)).toBe(expected);
            if (expected === 0) model.push({ start, end });
            continue;
          }
          const isCut = touched.some((entry) => entry.start < start || entry.end > end);
          const bytes = touched.reduce((sum, entry) => sum + entry.end - entry.start + 1, 0);
          expect(container.unmapDma(start, pages * PAGE)).toBe(isCut ? -EINVAL : bytes);
          if (!isCut) model = model.filter((entry) => !touched.includes(entry));
        }
        const mapped = model.reduce((sum, entry) => sum + (entry.end - entry.start + 1) / PAGE, 0);
        expect(iommu.pages.size).toBe(mapped);
        expect(container.info.dmaAvailable).toBe(65535 - model.length);
      }),
    );
  });
});
