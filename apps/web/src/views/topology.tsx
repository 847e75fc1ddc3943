/** The topology: each IOMMU, what is behind it, and which domain translates for whom. */
import {
  type DomainView,
  hexNumber,
  type WatchedEndpoint,
  type WatchedIommu,
} from '@viommu/inspector';
import type { JSX } from 'preact';
import { bytesText, counted } from '../page/numbers.ts';
import type { PageStore } from '../page/page-store.ts';

const KINDS = { disk: 'virtio-blk', rng: 'virtio-rng', net: 'virtio-net', engine: 'DMA engine' };
const WIDTH = 340;
const CARD = { width: 136, height: 46, gap: 12 };
const DOMAINS_AT = WIDTH - CARD.width;
/** An access counts as recent for so many microseconds. */
const RECENT = 200_000;

export function Topology({ store }: { readonly store: PageStore }): JSX.Element {
  const { topology } = store.view;
  return (
    <section class="panel topology" aria-labelledby="topology-title">
      <h2 id="topology-title">Topology</h2>
      {topology.iommus.map((iommu, index) => (
        <IommuFigure key={iommu.name} store={store} iommu={iommu} index={index} />
      ))}
      {topology.iommus.length === 0 && <p class="empty">A trace has the machine that it shows.</p>}
    </section>
  );
}

interface IommuProps {
  readonly store: PageStore;
  readonly iommu: WatchedIommu;
  readonly index: number;
}

function IommuFigure({ store, iommu, index }: IommuProps): JSX.Element {
  const { view } = store;
  const endpoints = view.topology.endpoints.filter((one) => one.iommu === index);
  const domains = view.domains
    .filter((one) => one.iommu === index)
    .sort((one, other) => one.domain - other.domain);
  const rows = Math.max(endpoints.length, domains.length, 1);
  const height = rows * (CARD.height + CARD.gap) - CARD.gap;
  const centre = (row: number) => row * (CARD.height + CARD.gap) + CARD.height / 2;
  return (
    <figure>
      <figcaption>
        <b>{iommu.name}</b> virtio-iommu at {iommu.place}
      </figcaption>
      <svg viewBox={`-1 -1 ${WIDTH + 2} ${height + 2}`} aria-label={iommu.name}>
        {endpoints.map((endpoint, row) => {
          const at = domains.findIndex(({ endpoints: ids }) => ids.has(endpoint.endpoint));
          const busy = isBusy(store, endpoint);
          if (at === -1) return null;
          const [from, to] = [centre(row), centre(at)];
          const middle = (CARD.width + DOMAINS_AT) / 2;
          return (
            <path
              key={endpoint.endpoint}
              class={busy ? 'edge busy' : 'edge'}
              data-attached={`${index}:${endpoint.endpoint}:${domains[at]!.domain}`}
              d={`M${CARD.width} ${from} C${middle} ${from} ${middle} ${to} ${DOMAINS_AT} ${to}`}
            />
          );
        })}
        {endpoints.map((endpoint, row) => (
          <EndpointCard key={endpoint.endpoint} store={store} endpoint={endpoint} row={row} />
        ))}
        {domains.map((domain, row) => (
          <DomainCard key={domain.domain} store={store} domain={domain} row={row} />
        ))}
        {domains.length === 0 && (
          <text class="card-note" x={DOMAINS_AT} y={CARD.height / 2 + 4}>
            no domain now
          </text>
        )}
      </svg>
    </figure>
  );
}

interface EndpointProps {
  readonly store: PageStore;
  readonly endpoint: WatchedEndpoint;
  readonly row: number;
}

function EndpointCard({ store, endpoint, row }: EndpointProps): JSX.Element {
  const { iommu, endpoint: id, name, kind, place } = endpoint;
  const traffic = store.view.traffic.find((one) => one.iommu === iommu && one.endpoint === id);
  const bytes = (traffic?.readBytes ?? 0) + (traffic?.writtenBytes ?? 0);
  const faults = traffic?.faults ?? 0;
  return (
    <g class="card endpoint" transform={`translate(0 ${row * (CARD.height + CARD.gap)})`}>
      <title>
        {KINDS[kind]} at {place}, endpoint {hexNumber(id)}:{' '}
        {counted(traffic?.accesses ?? 0, 'access', 'accesses')}, {counted(faults, 'fault')}
      </title>
      <rect width={CARD.width} height={CARD.height} rx="7" />
      <text class="card-name" x="10" y="19">
        {name}
        <tspan class="card-note" dx="6">
          {place.startsWith('window') ? place.split(' ').slice(0, 2).join(' ') : place}
        </tspan>
      </text>
      <text class="card-note" x="10" y="36">
        {hexNumber(id)} · {bytesText(bytes)}
        {faults > 0 && (
          <tspan class="card-fault" dx="6">
            {counted(faults, 'fault')}
          </tspan>
        )}
      </text>
    </g>
  );
}

interface DomainProps {
  readonly store: PageStore;
  readonly domain: DomainView;
  readonly row: number;
}

function DomainCard({ store, domain, row }: DomainProps): JSX.Element {
  const { bypass, mappings, iommu, domain: id } = domain;
  const isChosen = store.domain === domain;
  const choose = () => store.chooseDomain({ iommu, domain: id });
  return (
    // biome-ignore lint/a11y/useSemanticElements: HTML has no buttons within a drawing.
    <g
      class={isChosen ? 'card domain chosen' : 'card domain'}
      transform={`translate(${DOMAINS_AT} ${row * (CARD.height + CARD.gap)})`}
      role="button"
      tabIndex={0}
      aria-pressed={isChosen}
      aria-label={`domain ${id}, ${counted(mappings.count, 'mapping')}`}
      data-domain={`${iommu}:${id}`}
      onClick={choose}
      onKeyDown={({ key }) => (key === 'Enter' || key === ' ') && choose()}
    >
      <rect width={CARD.width} height={CARD.height} rx="7" />
      <text class="card-name" x="10" y="19">
        domain {id}
      </text>
      <text class="card-note" x="10" y="36">
        {bypass ? 'bypass' : counted(mappings.count, 'mapping')}
      </text>
    </g>
  );
}

function isBusy({ view }: PageStore, { iommu, endpoint }: WatchedEndpoint): boolean {
  const last = view.accesses.findLast((one) => one.iommu === iommu && one.endpoint === endpoint);
  return last !== undefined && view.now.time - last.time < RECENT;
}
