/** Draws the map of an address space on a canvas: a cell for each page or group of pages, in rows as text is. */
import type { DomainView, ReservedRange, WatchedAccess } from '@viommu/inspector';
import { VIRTIO_IOMMU_MAP_F_READ, VIRTIO_IOMMU_MAP_F_WRITE } from '@viommu/iommu-core';
import { colour } from './colours.ts';
import { bytesOfWindow, LABEL_WIDTH, type MapWindow } from './map-window.ts';

/** Accesses that are shown, the latest ones. */
const ACCESSES_SHOWN = 160;

export interface MapContent {
  readonly domain: DomainView | undefined;
  readonly reserved: readonly ReservedRange[];
  readonly accesses: readonly WatchedAccess[];
  /** Where a fault was, in this domain. */
  readonly faults: readonly number[];
  readonly chosen: number | undefined;
}

/** Pixels. */
export interface MapSize {
  readonly width: number;
  readonly height: number;
}

/** @param side of a cell in pixels */
export function drawMap(
  canvas: HTMLCanvasElement,
  size: MapSize,
  window: MapWindow,
  side: number,
  content: MapContent,
): void {
  const context = clearedContext(canvas, size);
  drawRows(context, window, side);
  const end = window.start + bytesOfWindow(window);
  const cells = (from: number, to: number, paint: (x: number, y: number) => void): void => {
    const { start, cellBytes, columns } = window;
    const first = Math.floor((Math.max(from, start) - start) / cellBytes);
    const last = Math.floor((Math.min(to, end - 1) - start) / cellBytes);
    for (let cell = first; cell <= last; cell += 1) {
      paint(LABEL_WIDTH + (cell % columns) * side, Math.floor(cell / columns) * side);
    }
  };
  context.fillStyle = colour('--reserved');
  for (const one of content.reserved) {
    if (one.end < window.start || one.start >= end) continue;
    cells(one.start, one.end, (x, y) => hatch(context, x, y, side));
  }
  drawMappings(context, window, side, content.domain, cells);
  drawAccesses(context, window, side, content, cells);
  context.strokeStyle = colour('--fault');
  context.lineWidth = 2;
  for (const address of content.faults) {
    if (address < window.start || address >= end) continue;
    cells(address, address, (x, y) => cross(context, x, y, side));
  }
  const { chosen } = content;
  if (chosen === undefined || chosen < window.start || chosen >= end) return;
  context.strokeStyle = colour('--ink');
  cells(chosen, chosen, (x, y) => context.strokeRect(x, y, side, side));
}

/** Nothing is measured, nor made anew without need: the page would be laid out for the one, and memory be had for the other. */
function clearedContext(canvas: HTMLCanvasElement, size: MapSize): CanvasRenderingContext2D {
  const scale = devicePixelRatio;
  const width = Math.round(size.width * scale);
  const height = Math.round(size.height * scale);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d')!;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  return context;
}

type Cells = (from: number, to: number, paint: (x: number, y: number) => void) => void;

function drawRows(context: CanvasRenderingContext2D, window: MapWindow, side: number): void {
  const { start, cellBytes, columns, rows } = window;
  context.font = getComputedStyle(context.canvas).font;
  context.textBaseline = 'middle';
  const cell = colour('--cell');
  const label = colour('--muted');
  for (let row = 0; row < rows; row += 1) {
    const y = row * side;
    context.fillStyle = cell;
    for (let column = 0; column < columns; column += 1) {
      context.fillRect(LABEL_WIDTH + column * side + 1, y + 1, side - 2, side - 2);
    }
    if (row % 2 === 1 && side < 16) continue;
    context.fillStyle = label;
    context.fillText(`0x${(start + row * columns * cellBytes).toString(16)}`, 0, y + side / 2 + 1);
  }
}

function drawMappings(
  context: CanvasRenderingContext2D,
  window: MapWindow,
  side: number,
  domain: DomainView | undefined,
  cells: Cells,
): void {
  if (domain === undefined) return;
  const colours = [colour('--mapped'), colour('--read'), colour('--write'), colour('--mapped')];
  const end = window.start + bytesOfWindow(window);
  let lastCell = -1;
  for (const { virtStart, virtEnd, flags } of domain.mappings.from(window.start)) {
    if (virtStart >= end) break;
    if (virtEnd < window.start) continue;
    // Many mappings in one cell are one cell.
    const cell = Math.floor((virtEnd - window.start) / window.cellBytes);
    if (cell === lastCell && virtEnd - virtStart < window.cellBytes) continue;
    lastCell = cell;
    context.fillStyle = colours[flags & (VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE)]!;
    cells(virtStart, virtEnd, (x, y) => context.fillRect(x + 1, y + 1, side - 2, side - 2));
  }
}

function drawAccesses(
  context: CanvasRenderingContext2D,
  window: MapWindow,
  side: number,
  { domain, accesses }: MapContent,
  cells: Cells,
): void {
  if (domain === undefined) return;
  const end = window.start + bytesOfWindow(window);
  const read = colour('--access-read');
  const write = colour('--access-write');
  const mine = accesses
    .filter((one) => one.iommu === domain.iommu && one.domain === domain.domain)
    .slice(-ACCESSES_SHOWN);
  for (const [at, { address, length, access }] of mine.entries()) {
    if (address + length <= window.start || address >= end) continue;
    context.globalAlpha = 0.15 + (0.85 * (at + 1)) / mine.length;
    context.fillStyle = access === VIRTIO_IOMMU_MAP_F_WRITE ? write : read;
    cells(address, address + length - 1, (x, y) => {
      context.beginPath();
      context.arc(x + side / 2, y + side / 2, side / 4, 0, 2 * Math.PI);
      context.fill();
    });
  }
  context.globalAlpha = 1;
}

function hatch(context: CanvasRenderingContext2D, x: number, y: number, side: number): void {
  context.fillRect(x + 1, y + side - 4, side - 2, 3);
  context.fillRect(x + 1, y + 1, side - 2, 3);
}

function cross(context: CanvasRenderingContext2D, x: number, y: number, side: number): void {
  context.beginPath();
  context.moveTo(x + 3, y + 3);
  context.lineTo(x + side - 3, y + side - 3);
  context.moveTo(x + side - 3, y + 3);
  context.lineTo(x + 3, y + side - 3);
  context.stroke();
}
