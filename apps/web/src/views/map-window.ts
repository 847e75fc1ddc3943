/** The part of an address space that the map shows: rows of cells, each of which is a power of two of bytes. */
import type { DomainView, ReservedRange, SortedMappings } from '@viommu/inspector';

export interface MapWindow {
  /** A multiple of the bytes of a row. */
  readonly start: number;
  readonly cellBytes: number;
  readonly columns: number;
  readonly rows: number;
}

/** Pixels. */
export const LABEL_WIDTH = 112;
const SMALLEST_SIDE = 9;
const COLUMNS_MAX = 128;

/** How many cells of how many pixels a canvas has room for. */
export interface MapGrid {
  readonly columns: number;
  readonly rows: number;
  /** Width and height of a cell in pixels. */
  readonly side: number;
}

/** As many columns as there is room for; a power of two of them, so that rows begin at round addresses. */
export function gridOf(width: number, height: number): MapGrid {
  const room = Math.max(width - LABEL_WIDTH, SMALLEST_SIDE);
  let columns = COLUMNS_MAX;
  while (columns > 4 && room / columns < SMALLEST_SIDE) columns /= 2;
  const side = Math.min(Math.floor(room / columns), 20);
  return { columns, side, rows: Math.max(Math.floor(height / side), 2) };
}

/** Neighbours in the address space. The end is inclusive. */
export interface AddressCluster {
  readonly kind: 'mappings' | 'reserved';
  readonly start: number;
  readonly end: number;
  readonly mappings: number;
}

/** No cell is smaller: no page is. */
const SMALLEST_CELL = 4096;
const LARGEST_CELL = 2 ** 46;
const CLUSTERS_MAX = 12;
/** Mappings that are further apart are shown one group by one. */
const CLUSTER_GAP = 2 ** 24;

export function bytesOfWindow({ cellBytes, columns, rows }: MapWindow): number {
  return cellBytes * columns * rows;
}

/** A window that shows the range, with what is around it. */
export function fitWindow(
  { start, end }: { readonly start: number; readonly end: number },
  columns: number,
  rows: number,
): MapWindow {
  let cellBytes = SMALLEST_CELL;
  for (;;) {
    const row = cellBytes * columns;
    const first = Math.floor(start / row);
    const needed = Math.floor(end / row) - first + 1;
    if (needed <= rows || cellBytes >= LARGEST_CELL) {
      // What is at the end of the addresses that a driver uses grows downwards, so there its end stays in place.
      const spare = Math.max(rows - needed, 0);
      const begin = Math.max(first - Math.max(spare - 1, 0), 0) * row;
      return { start: begin, cellBytes, columns, rows };
    }
    cellBytes *= 2;
  }
}

export function windowHolds(window: MapWindow, start: number, end: number): boolean {
  return start >= window.start && end < window.start + bytesOfWindow(window);
}

/** Cells of another size, with the address where it was. */
export function zoomWindow(window: MapWindow, address: number, factor: number): MapWindow {
  const cellBytes = Math.min(Math.max(window.cellBytes * factor, SMALLEST_CELL), LARGEST_CELL);
  if (cellBytes === window.cellBytes) return window;
  const row = cellBytes * window.columns;
  const share = (address - window.start) / bytesOfWindow(window);
  const above = Math.floor(share * window.rows);
  const start = Math.max(Math.floor(address / row) - above, 0) * row;
  return { ...window, cellBytes, start };
}

export function scrollWindow(window: MapWindow, rows: number): MapWindow {
  const row = window.cellBytes * window.columns;
  return { ...window, start: Math.max(window.start + rows * row, 0) };
}

/** The window for another number of columns and rows, from about where it was. */
export function resizeWindow(window: MapWindow, columns: number, rows: number): MapWindow {
  const row = window.cellBytes * columns;
  return { ...window, columns, rows, start: Math.floor(window.start / row) * row };
}

/** Groups of mappings, and reserved ranges, in order of their addresses. */
export function clustersOf(
  { mappings }: Pick<DomainView, 'mappings'>,
  reserved: readonly ReservedRange[],
): AddressCluster[] {
  const groups = groupsOf(mappings);
  const most = [...groups].sort((one, other) => other.mappings - one.mappings);
  const ranges = reserved.map(({ start, end }) => ({
    kind: 'reserved' as const,
    start,
    end,
    mappings: 0,
  }));
  return [...most.slice(0, CLUSTERS_MAX), ...ranges].sort((one, other) => one.start - other.start);
}

function groupsOf(mappings: SortedMappings): AddressCluster[] {
  const groups: { kind: 'mappings'; start: number; end: number; mappings: number }[] = [];
  for (const { virtStart, virtEnd } of mappings) {
    const last = groups.at(-1);
    if (last !== undefined && virtStart - last.end <= CLUSTER_GAP) {
      last.end = virtEnd;
      last.mappings += 1;
    } else {
      groups.push({ kind: 'mappings', start: virtStart, end: virtEnd, mappings: 1 });
    }
  }
  return groups;
}
