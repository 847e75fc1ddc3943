/** The whole page. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { keysOf, listenToKeys } from '../page/keyboard.ts';
import { countText } from '../page/numbers.ts';
import type { PageStore } from '../page/page-store.ts';
import type { Shipped } from '../page/trace-index.ts';
import { useStore } from '../page/use-store.ts';
import { About } from './about.tsx';
import { AddressMap } from './address-map.tsx';
import { FaultList } from './fault-list.tsx';
import { standingOf } from './figure/figure-standing.ts';
import { PassThroughFigure } from './figure/pass-through-figure.tsx';
import { GuestPanel } from './guest/guest-panel.tsx';
import { LatencyChart } from './latency-chart.tsx';
import { LiveBar } from './live-bar.tsx';
import { PlayerBar } from './player-bar.tsx';
import { RequestLog } from './request-log.tsx';
import { RingList } from './ring-list.tsx';
import { Topology } from './topology.tsx';
import { TrafficChart } from './traffic-chart.tsx';

interface Props {
  readonly store: PageStore;
  readonly shipped: readonly Shipped[];
  readonly first: string;
}

export function App({ store, shipped, first }: Props): JSX.Element {
  useStore(store);
  const [tab, setTab] = useState<'requests' | 'faults'>('requests');
  useEffect(() => listenToKeys(store), [store]);
  const { trace, live, guest, problem, isLoading } = store;
  const standing = standingOf(store);
  // What is played in the page goes as fast as one wants to see it.
  const hasClock = trace === undefined || trace.recording !== undefined;
  return (
    <>
      <header class="top">
        <h1>
          viommu <span class="muted">what an IOMMU does</span>
        </h1>
        {(live === undefined || guest !== undefined) && (
          <TraceChoice key={first} store={store} shipped={shipped} first={first} />
        )}
        <details class="keys">
          <summary>Keys</summary>
          <dl>
            {keysOf(store).map(({ key, label, does }) => (
              <div key={key}>
                <dt>
                  <kbd>{label}</kbd>
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
        </details>
      </header>
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {live === undefined ? <PlayerBar store={store} /> : <LiveBar store={store} live={live} />}
      <main aria-busy={isLoading && guest === undefined}>
        {guest !== undefined && <GuestPanel store={store} guest={guest} />}
        {standing !== undefined && <PassThroughFigure store={store} standing={standing} />}
        <div class="side">
          <Topology store={store} />
          {hasClock && <TrafficChart store={store} />}
          {hasClock && <LatencyChart store={store} />}
          {trace !== undefined && <About trace={trace} />}
        </div>
        <AddressMap store={store} />
        <section class="panel events" aria-label="Events">
          <div class="tabs" role="tablist">
            <Tab
              name="Requests"
              count={store.view.requests.length}
              isOpen={tab === 'requests'}
              open={() => setTab('requests')}
            />
            <Tab
              name="Faults"
              count={store.view.faults.length}
              isOpen={tab === 'faults'}
              open={() => setTab('faults')}
            />
          </div>
          {tab === 'requests' ? (
            <RequestLog store={store} />
          ) : (
            <FaultList store={store} showRequests={() => setTab('requests')} />
          )}
        </section>
        <RingList store={store} />
      </main>
    </>
  );
}

function TraceChoice({ store, shipped, first }: Props): JSX.Element {
  const [chosen, setChosen] = useState(first);
  const choose = (name: string): void => {
    setChosen(name);
    const found = shipped.find((one) => one.name === name);
    if (found !== undefined) store.open(found);
  };
  return (
    <div class="choice">
      <select
        id="trace"
        aria-label="Scenario, guest or trace"
        value={chosen}
        onChange={({ currentTarget }) => choose(currentTarget.value)}
      >
        {shipped.map(({ name, title }) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
        {chosen === '' && shipped.length > 0 && <option value="">a file of your own</option>}
      </select>
      <label class="button">
        Open a file…
        <input
          class="visually-hidden"
          type="file"
          accept=".vtrace"
          onChange={({ currentTarget }) => {
            const file = currentTarget.files?.[0];
            if (file === undefined) return;
            setChosen('');
            store.openFile(file);
          }}
        />
      </label>
    </div>
  );
}

interface TabProps {
  readonly name: string;
  readonly count: number;
  readonly isOpen: boolean;
  readonly open: () => void;
}

function Tab({ name, count, isOpen, open }: TabProps): JSX.Element {
  return (
    <button type="button" role="tab" aria-selected={isOpen} onClick={open}>
      {name}{' '}
      <span class={name === 'Faults' && count > 0 ? 'badge bad' : 'badge'}>{countText(count)}</span>
    </button>
  );
}
