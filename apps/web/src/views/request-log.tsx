/** The request log: of 10,000 rows only those are drawn that one sees. */
import {
  addressField,
  hexNumber,
  REQUEST_LAYOUTS,
  requestField,
  requestName,
  statusName,
  type WatchedRequest,
} from '@viommu/inspector';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { bytesText, countText } from '../page/numbers.ts';
import type { PageStore } from '../page/page-store.ts';
import { RequestDetail } from './request-detail.tsx';

/** Pixels. */
const ROW = 24;
const ROWS_AROUND = 4;
const TYPES = Object.entries(REQUEST_LAYOUTS).map(
  ([type, { name }]) => [Number(type), name] as const,
);

interface Filters {
  readonly hidden: ReadonlySet<number>;
  readonly onlyRefused: boolean;
  /** In the domain that is chosen. */
  readonly onlyDomain: boolean;
  readonly address: number | undefined;
}

export function RequestLog({ store }: { readonly store: PageStore }): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const [filters, setFilters] = useState<Filters>({
    hidden: new Set(),
    onlyRefused: false,
    onlyDomain: false,
    address: undefined,
  });
  const [height, setHeight] = useState(300);
  /** How far it is scrolled; undefined while the latest rows stay in sight. */
  const [top, setTop] = useState<number>();
  const lastTop = useRef(0);
  const { requests } = store.view;
  const domain = filters.onlyDomain ? store.domain : undefined;
  const shown = useMemo(
    () =>
      requests.filter(
        (one) =>
          !filters.hidden.has(one.type) &&
          (!filters.onlyRefused || one.status !== 0) &&
          (domain === undefined || concerns(one, domain)) &&
          (filters.address === undefined || covers(one, filters.address)),
      ),
    [requests, filters, domain],
  );
  const chosen = shown.findIndex(({ sequence }) => sequence === store.chosenRequest);
  const seenFrom = top ?? shown.length * ROW - height;
  const first = Math.max(Math.floor(seenFrom / ROW) - ROWS_AROUND, 0);
  const last = Math.min(Math.ceil((seenFrom + height) / ROW) + ROWS_AROUND, shown.length);

  // Before they are drawn: afterwards it would wait until they are.
  useLayoutEffect(() => {
    if (top === undefined) list.current!.scrollTop = shown.length * ROW;
  }, [shown, height, top]);

  useEffect(() => {
    const resized = new ResizeObserver(() => measure());
    resized.observe(list.current!);
    return () => resized.disconnect();
  }, []);

  // The row is brought into sight once.
  useLayoutEffect(() => {
    if (chosen === -1) return;
    const { scrollTop, clientHeight } = list.current!;
    const begin = chosen * ROW;
    const nearest = Math.min(Math.max(scrollTop, begin + ROW - clientHeight), begin);
    if (nearest === scrollTop) return;
    list.current!.scrollTop = nearest;
    setTop(nearest);
  }, [store.chosenRequest]);

  function measure(): void {
    // It may have scrolled just before another tab was opened.
    if (list.current === null) return;
    const { scrollTop, clientHeight, scrollHeight } = list.current;
    setHeight(clientHeight);
    // More rows may have come since it was scrolled to the last one: only who scrolls back wants to stay where it is.
    if (scrollTop + clientHeight >= scrollHeight - ROW) setTop(undefined);
    else if (top !== undefined || scrollTop < lastTop.current) setTop(scrollTop);
    lastTop.current = scrollTop;
  }
  const toggle = (type: number): void => {
    const hidden = new Set(filters.hidden);
    if (!hidden.delete(type)) hidden.add(type);
    setFilters({ ...filters, hidden });
  };
  const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };

  return (
    <div class="log">
      <div class="log-list">
        <div class="filters">
          {TYPES.map(([type, name]) => (
            <button
              type="button"
              key={type}
              aria-pressed={!filters.hidden.has(type)}
              onClick={() => toggle(type)}
            >
              {name}
            </button>
          ))}
          <button
            type="button"
            aria-pressed={filters.onlyRefused}
            onClick={() => setFilters({ ...filters, onlyRefused: !filters.onlyRefused })}
          >
            refused only
          </button>
          <button
            type="button"
            aria-pressed={filters.onlyDomain}
            onClick={() => setFilters({ ...filters, onlyDomain: !filters.onlyDomain })}
          >
            this domain
          </button>
          <input
            type="search"
            placeholder="covers 0x…"
            aria-label="Only requests that cover this address"
            onInput={({ currentTarget: { value } }) =>
              setFilters({ ...filters, address: value === '' ? undefined : Number(value) })
            }
          />
          <span class="muted">
            <span id="request-count">{countText(shown.length)}</span> of{' '}
            {countText(requests.length)}
          </span>
        </div>
        <div
          ref={list}
          class="rows"
          role="listbox"
          tabIndex={0}
          aria-label="Requests"
          aria-activedescendant={chosen === -1 ? undefined : `request-${store.chosenRequest}`}
          onScroll={measure}
          onKeyDown={(event) => {
            const move = moves[event.key];
            if (move === undefined || shown.length === 0) return;
            event.preventDefault();
            const from = chosen === -1 ? shown.length - 1 - move : chosen;
            store.chooseRequest(shown[Math.min(Math.max(from + move, 0), shown.length - 1)]);
          }}
        >
          <div style={{ height: `${shown.length * ROW}px` }}>
            {shown.slice(first, last).map((one, index) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents lint/a11y/useFocusableInteractive: the list has the keys.
              <div
                key={one.sequence}
                id={`request-${one.sequence}`}
                role="option"
                aria-selected={one.sequence === store.chosenRequest}
                class="row"
                style={{ top: `${(first + index) * ROW}px` }}
                onClick={() => store.chooseRequest(one)}
              >
                <span class="number">
                  {store.live === undefined ? one.operation : one.sequence}
                </span>
                <b>{requestName(one.type)}</b>
                <span class="words">{requestLine(one)}</span>
                <span class={one.status === 0 ? 'status ok' : 'status bad'}>
                  {statusName(one.status)}
                </span>
              </div>
            ))}
          </div>
        </div>
      </div>
      <RequestDetail
        store={store}
        request={requests.find(({ sequence }) => sequence === store.chosenRequest)}
      />
    </div>
  );
}

function concerns(
  request: WatchedRequest,
  domain: { readonly iommu: number; readonly domain: number },
): boolean {
  const fields = REQUEST_LAYOUTS[request.type]?.fields ?? [];
  return (
    request.iommu === domain.iommu &&
    fields.some(({ name }) => name === 'domain') &&
    addressField(request, 'domain') === domain.domain
  );
}

function covers(request: WatchedRequest, address: number): boolean {
  const fields = REQUEST_LAYOUTS[request.type]?.fields ?? [];
  if (!fields.some(({ name }) => name === 'virt_start')) return false;
  return (
    addressField(request, 'virt_start') <= address && addressField(request, 'virt_end') >= address
  );
}

/** What a request is about, short enough for a row. */
function requestLine(request: WatchedRequest): string {
  const fields = REQUEST_LAYOUTS[request.type]?.fields.map(({ name }) => name) ?? [];
  const value = (name: string) => hexNumber(requestField(request, name));
  const parts: string[] = [];
  if (fields.includes('endpoint')) parts.push(`endpoint ${value('endpoint')}`);
  if (fields.includes('domain')) parts.push(`domain ${requestField(request, 'domain')}`);
  if (fields.includes('virt_start')) {
    const length = addressField(request, 'virt_end') - addressField(request, 'virt_start') + 1;
    parts.push(`${value('virt_start')} ${bytesText(length)}`);
  }
  if (fields.includes('phys_start')) parts.push(`→ ${value('phys_start')}`);
  return parts.join(' ');
}
