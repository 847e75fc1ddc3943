/** Where a device stands in a ring: in slots, as numbers with their names, and in words. */
import type { WatchedQueue, WatchedWish } from '@viommu/inspector';
import { counted, countText } from './numbers.ts';

type Ring = NonNullable<WatchedQueue['ring']>;

/** A row of slots that does not go past the end of the ring. */
export interface SlotRun {
  readonly from: number;
  readonly count: number;
}

export interface RingSlots {
  /** Of the next buffer or descriptor that the device takes, and of the next that it gives back. */
  readonly taking: number;
  readonly giving: number;
  /** Where the driver puts the next one, as far as it was read. */
  readonly driver: number | undefined;
  /** Taken and not given back. */
  readonly inFlight: readonly SlotRun[];
  /** Available and not taken. */
  readonly waiting: readonly SlotRun[];
}

/** A number of the ring, with the name that the standard or the device has for it. */
export interface RingNumber {
  readonly field: string;
  readonly value: number;
  readonly text: string;
}

const INDEX_MASK = 0xffff;
const OFFSET_MASK = 0x7fff;
const WRAP_SHIFT = 15;

export function ringSlots(size: number, ring: Ring): RingSlots {
  if (ring.layout === 'packed') {
    const giving = ring.used & OFFSET_MASK;
    const taking = ring.available & OFFSET_MASK;
    const inFlight = runsOf(giving, ring.inFlight, size);
    return { taking, giving, driver: undefined, inFlight, waiting: [] };
  }
  const { nextAvail, availIdx, usedIdx } = ring;
  const [taking, giving] = [nextAvail % size, usedIdx % size];
  return {
    taking,
    giving,
    driver: availIdx % size,
    inFlight: runsOf(giving, ring.inFlight, size),
    waiting: runsOf(taking, waitingIn(ring), size),
  };
}

/** Buffers that are available and not taken, as far as the device has looked; nobody can say it of a packed ring. */
function waitingIn(ring: Ring): number {
  return ring.layout === 'split' ? (ring.availIdx - ring.nextAvail) & INDEX_MASK : 0;
}

function runsOf(from: number, count: number, size: number): SlotRun[] {
  const first = Math.min(count, size - from);
  return [
    { from, count: first },
    { from: 0, count: count - first },
  ].filter((run) => run.count > 0);
}

export function ringNumbers(ring: Ring): RingNumber[] {
  if (ring.layout === 'packed') {
    return [
      { field: 'available', value: ring.available, text: positionText(ring.available) },
      { field: 'used', value: ring.used, text: positionText(ring.used) },
    ];
  }
  const plain = (field: string, value: number) => ({ field, value, text: String(value) });
  return [
    plain('next avail', ring.nextAvail),
    plain('avail idx', ring.availIdx),
    plain('used idx', ring.usedIdx),
  ];
}

/** Such as `12, wrap 1`. */
function positionText(offsetAndWrap: number): string {
  return `${offsetAndWrap & OFFSET_MASK}, wrap ${offsetAndWrap >>> WRAP_SHIFT}`;
}

export function wishText(ring: Ring, wish: WatchedWish | undefined): string {
  if (wish === undefined) return 'not known yet';
  if (!wish.isAsked) return 'not asked for';
  if (wish.at === undefined) return 'asked for';
  return `asked for past ${ring.layout === 'packed' ? positionText(wish.at) : wish.at}`;
}

/** What the picture of a ring shows. */
export function ringWords({ size, ring }: Pick<WatchedQueue, 'size' | 'ring'>): string {
  if (ring === undefined) return 'not in use';
  if (ring.broken) return 'broken by the driver';
  const { taking, giving } = ringSlots(size, ring);
  const what = ring.layout === 'split' ? 'buffer' : 'descriptor';
  const waiting =
    ring.layout === 'split' ? `, ${counted(waitingIn(ring), 'more buffer')} seen available` : '';
  return (
    `the device takes slot ${taking} of ${countText(size)} next and gives back slot ${giving} next; ` +
    `${counted(ring.inFlight, what)} in flight${waiting}`
  );
}
