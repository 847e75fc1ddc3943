/** The queues of all virtio devices: a picture of each ring, and the numbers beside it. */
import { hexNumber, type WatchedQueue } from '@viommu/inspector';
import type { JSX } from 'preact';
import { counted, countText, durationText } from '../page/numbers.ts';
import type { PageStore } from '../page/page-store.ts';
import { ringNumbers, wishText } from '../page/ring-slots.ts';
import { AddressLink } from './address-link.tsx';
import { RingStrip } from './ring-strip.tsx';

export function RingList({ store }: { readonly store: PageStore }): JSX.Element {
  const { queues } = store.view;
  return (
    <section class="panel rings" aria-labelledby="rings-title">
      <h2 id="rings-title">Rings</h2>
      <p class="legend muted">
        <i class="in-flight" /> in flight: taken and not given back <i class="waiting" /> seen
        available <b class="mark-text taking">▼</b> the device takes next{' '}
        <b class="mark-text giving">▲</b> it gives back next <b class="mark-text driver">▽</b> avail
        idx of the driver, as it was last read
      </p>
      <ul>
        {queues.map((queue) => (
          <Queue key={`${queue.device}:${queue.queue}`} store={store} queue={queue} />
        ))}
      </ul>
      {queues.length === 0 && <p class="empty">No queues are told of.</p>}
    </section>
  );
}

interface Props {
  readonly store: PageStore;
  readonly queue: WatchedQueue;
}

function Queue({ store, queue }: Props): JSX.Element {
  const { device, queue: index, name, size, enabled, kicked, ring, kept } = queue;
  const title = `queue-${device}-${index}`;
  return (
    <li data-queue={`${device}:${index}`} aria-labelledby={title}>
      <h3 id={title}>
        {device} {name}{' '}
        <span class="muted">
          {countText(size)} descriptors{ring !== undefined && `, ${ring.layout}`}
        </span>
        {!enabled && <span class="badge">not enabled</span>}
        {kicked && <span class="badge">kicked</span>}
        {ring?.broken === true && <span class="badge bad">broken</span>}
      </h3>
      <RingStrip queue={queue} />
      <dl>
        {ring !== undefined && (
          <>
            {ringNumbers(ring).map(({ field, value, text }) => (
              <Item key={field} field={field} value={value}>
                {text}
              </Item>
            ))}
            <Item field="in flight" value={ring.inFlight}>
              {ring.inFlight}
              {kept.length > 0 && ` (${kept.join(', ')})`}
            </Item>
            <Item field="kicks">{wishText(ring, ring.kicks)}</Item>
            <Item field="interrupts">{wishText(ring, ring.interrupts)}</Item>
          </>
        )}
        <Times store={store} queue={queue} />
        {enabled && <Areas store={store} queue={queue} />}
      </dl>
    </li>
  );
}

interface ItemProps {
  readonly field: string;
  readonly value?: number;
  readonly children: preact.ComponentChildren;
}

function Item({ field, value, children }: ItemProps): JSX.Element {
  return (
    <div>
      <dt>{field}</dt>
      <dd data-field={field} data-value={value}>
        {children}
      </dd>
    </div>
  );
}

function Times({ store, queue: { device, queue } }: Props): JSX.Element | null {
  const latency = store.view.latencyOf(device, queue);
  if (latency === undefined) return null;
  const { used, waiting, working } = latency;
  return (
    <>
      <Item field="given back" value={used}>
        {counted(used, 'buffer')}
      </Item>
      {waiting.count > 0 && (
        <Item field="waited">
          {durationText(waiting.median)}, at worst {durationText(waiting.worst)}
        </Item>
      )}
      {working.count > 0 && (
        <Item field="took">
          {durationText(working.median)}, at worst {durationText(working.worst)}
        </Item>
      )}
    </>
  );
}

const AREAS = [
  ['descriptor area', 'descriptorArea'],
  ['driver area', 'driverArea'],
  ['device area', 'deviceArea'],
] as const;

/** An IOMMU's own areas are not translated. */
function Areas({ store, queue }: Props): JSX.Element {
  const { view } = store;
  const endpoint = view.topology.endpoints.find(({ name }) => name === queue.device);
  const domain = view.domains.find(
    ({ iommu, endpoints }) => iommu === endpoint?.iommu && endpoints.has(endpoint.endpoint),
  );
  const translates = domain?.bypass === false ? domain : undefined;
  return (
    <>
      {AREAS.map(([field, area]) => (
        <Item key={field} field={field} value={queue[area]}>
          {translates === undefined ? (
            <code>{hexNumber(queue[area])}</code>
          ) : (
            <AddressLink store={store} domain={translates} address={queue[area]} />
          )}
        </Item>
      ))}
      <Item field="addresses are">
        {endpoint === undefined && 'guest-physical'}
        {translates !== undefined && `its own, by domain ${translates.domain}`}
        {endpoint !== undefined && translates === undefined && 'in no domain that translates'}
      </Item>
    </>
  );
}
