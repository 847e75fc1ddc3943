/** Where the mappings are that are there all the time, and the places between and beyond them. Addresses in bytes. */
import { shuffled } from './random.ts';

export const PAGE = 4096;
const GIB = 2 ** 30;
const FIRST_PAGE = 0x10_0000;
/** Physical addresses are another place, which continues nothing that is neighbours virtually. */
const PHYSICAL_BASE = 0x40_0000_0000;
/** Large extents begin here: beyond 2^20 residents. */
const BEYOND = 16 * GIB;
const LARGE_PLACES = 16;
/** Requests of one kind that are made in one go; so many free pages are there at least. */
export const REQUESTS_OF_A_KIND = 64;

/** Resident mappings have every second page. */
export function residentAddress(index: number): number {
  return (FIRST_PAGE + 2 * index) * PAGE;
}

/** The page behind the resident of that index, which is free. */
function freeAddress(index: number): number {
  return (FIRST_PAGE + 2 * index + 1) * PAGE;
}

export function physicalOf(virtStart: number): number {
  return PHYSICAL_BASE + 2 * virtStart;
}

/** Free pages among `count` residents, each once, in random order; beyond them, too, when they are fewer than 64. */
export function freePlaces(count: number): Float64Array {
  const order = shuffled(Math.max(count, REQUESTS_OF_A_KIND));
  return Float64Array.from(order, (index) => freeAddress(index));
}

/** Places for extents of 1 GiB, aligned to it but for `offset`. */
export function largePlaces(offset: number): Float64Array {
  return Float64Array.from(shuffled(LARGE_PLACES), (index) => BEYOND + 2 * index * GIB + offset);
}
