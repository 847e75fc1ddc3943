/** The address space of a domain as a map to zoom and to walk in, with the translation of the address that is chosen. */
import { type DomainView, hexNumber, type ReservedRange } from '@viommu/inspector';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { bytesText, counted } from '../page/numbers.ts';
import type { PageStore } from '../page/page-store.ts';
import { AddressDetail } from './address-detail.tsx';
import { onColoursChange } from './colours.ts';
import { drawMap, type MapSize } from './draw-map.ts';
import {
  clustersOf,
  fitWindow,
  gridOf,
  LABEL_WIDTH,
  type MapWindow,
  resizeWindow,
  scrollWindow,
  windowHolds,
  zoomWindow,
} from './map-window.ts';

/** Where a map begins whose domain has nothing. */
const EMPTY = { start: 0, end: 2 ** 20 - 1 };

const LEGEND = [
  ['key rw', 'read and write'],
  ['key r', 'read only'],
  ['key w', 'write only'],
  ['key reserved', 'reserved'],
  ['dot r', 'read by a device'],
  ['dot w', 'written by a device'],
] as const;

export function AddressMap({ store }: { readonly store: PageStore }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState<MapSize>({ width: 800, height: 240 });
  /** The window that somebody has chosen; without one the map follows what is mapped. */
  const [own, setOwn] = useState<MapWindow>();
  const followed = useRef<MapWindow | undefined>(undefined);
  const { domain, view, chosenAddress } = store;
  const reserved = reservedOf(store, domain);
  const clusters = domain === undefined ? [] : clustersOf(domain, reserved);
  const largest = clusters.reduce<(typeof clusters)[number] | undefined>(
    (most, one) => (one.mappings > (most?.mappings ?? 0) ? one : most),
    undefined,
  );
  const { columns, rows, side } = gridOf(size.width, size.height);
  followed.current = followedWindow(followed.current, largest ?? EMPTY, columns, rows);
  const window = own === undefined ? followed.current : resizeWindow(own, columns, rows);
  const chosen = chosenAddress?.address;

  // A reset is the only news.
  useEffect(() => setOwn(undefined), [store.mapResets]);

  // A link leads there once.
  useEffect(() => {
    if (chosenAddress?.reveal !== true) return;
    const { address } = chosenAddress;
    if (!windowHolds(window, address, address)) {
      setOwn(fitWindow({ start: address, end: address }, columns, rows));
    }
  }, [chosenAddress]);

  useEffect(() => {
    const resized = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      setSize({ width, height });
    });
    resized.observe(canvas.current!);
    return () => resized.disconnect();
  }, []);

  useLayoutEffect(() => {
    const draw = () =>
      drawMap(canvas.current!, size, window, side, {
        domain,
        reserved,
        accesses: view.accesses,
        faults: view.faults
          .filter((one) => one.iommu === domain?.iommu && one.domain === domain.domain)
          .map(({ address }) => address),
        chosen,
      });
    draw();
    return onColoursChange(draw);
  });

  const addressAt = (event: MouseEvent): number | undefined => {
    const box = canvas.current!.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - LABEL_WIDTH) / side);
    const row = Math.floor((event.clientY - box.top) / side);
    if (column < 0 || column >= columns || row >= rows) return undefined;
    return window.start + (row * columns + column) * window.cellBytes;
  };
  const choose = (address: number | undefined, reveal = false): void => {
    if (domain !== undefined && address !== undefined && address >= 0) {
      store.chooseAddress(domain, address, reveal);
    }
  };
  const keys: Record<string, () => void> = {
    ArrowLeft: () => choose((chosen ?? window.start) - window.cellBytes, true),
    ArrowRight: () => choose((chosen ?? window.start) + window.cellBytes, true),
    ArrowUp: () => choose((chosen ?? window.start) - window.cellBytes * columns, true),
    ArrowDown: () => choose((chosen ?? window.start) + window.cellBytes * columns, true),
    PageUp: () => setOwn(scrollWindow(window, -rows)),
    PageDown: () => setOwn(scrollWindow(window, rows)),
    '+': () => setOwn(zoomWindow(window, chosen ?? window.start, 1 / 2)),
    '-': () => setOwn(zoomWindow(window, chosen ?? window.start, 2)),
  };

  return (
    <section class="panel map" aria-labelledby="map-title">
      <header>
        <h2 id="map-title">
          Address space
          {domain !== undefined && (
            <span class="muted">
              {' '}
              of domain {domain.domain}
              {view.topology.iommus.length > 1 && ` of ${view.topology.iommus[domain.iommu]?.name}`}
              {' · '}
              <span id="mapping-count">{counted(domain.mappings.count, 'mapping')}</span>
            </span>
          )}
        </h2>
        <div class="tools">
          <span class="muted">a cell is {bytesText(window.cellBytes)}</span>
          <button type="button" title="Smaller cells (+)" onClick={keys['+']}>
            +
          </button>
          <button type="button" title="Larger cells (-)" onClick={keys['-']}>
            −
          </button>
          <button type="button" aria-pressed={own === undefined} onClick={() => setOwn(undefined)}>
            Follow
          </button>
        </div>
      </header>
      <div class="clusters">
        {clusters.map((cluster) => (
          <button
            type="button"
            key={`${cluster.kind}${cluster.start}`}
            class={cluster.kind}
            onClick={() => setOwn(fitWindow(cluster, columns, rows))}
          >
            {hexNumber(cluster.start)}–{hexNumber(cluster.end)}{' '}
            <span class="muted">
              {cluster.kind === 'reserved'
                ? 'reserved (MSI)'
                : counted(cluster.mappings, 'mapping')}
            </span>
          </button>
        ))}
      </div>
      <canvas
        ref={canvas}
        // The map has keys of its own.
        tabIndex={0}
        role="img"
        aria-label="Map of the address space: arrow keys choose an address, + and - zoom, page keys scroll"
        onClick={(event) => choose(addressAt(event))}
        onWheel={(event) => {
          event.preventDefault();
          const at = addressAt(event) ?? window.start;
          if (event.ctrlKey) setOwn(zoomWindow(window, at, event.deltaY > 0 ? 2 : 1 / 2));
          else setOwn(scrollWindow(window, Math.sign(event.deltaY) * 2));
        }}
        onDblClick={(event) => setOwn(zoomWindow(window, addressAt(event) ?? window.start, 1 / 2))}
        onKeyDown={(event) => {
          const action = keys[event.key];
          if (action === undefined) return;
          event.preventDefault();
          action();
        }}
      />
      <p class="legend muted">
        {LEGEND.map(([kind, text]) => (
          <span key={kind}>
            <i class={kind} /> {text}{' '}
          </span>
        ))}
      </p>
      <AddressDetail store={store} domain={domain} />
    </section>
  );
}

/** Stays where it is as long as it shows what it follows. */
function followedWindow(
  last: MapWindow | undefined,
  range: { readonly start: number; readonly end: number },
  columns: number,
  rows: number,
): MapWindow {
  const isSame = last !== undefined && last.columns === columns && last.rows === rows;
  if (isSame && windowHolds(last, range.start, range.end)) return last;
  return fitWindow(range, columns, rows);
}

function reservedOf(store: PageStore, domain: DomainView | undefined): readonly ReservedRange[] {
  const endpoint = store.view.topology.endpoints.find(
    (one) => one.iommu === domain?.iommu && domain.endpoints.has(one.endpoint),
  );
  return endpoint?.reserved ?? [];
}
