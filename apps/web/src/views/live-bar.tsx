/** The bar above a machine that runs: whether it does, a button to hold still, and how much is asked of the IOMMU. */
import type { JSX } from 'preact';
import type { LiveSource } from '../live/live-source.ts';
import { counted, countText, secondsText } from '../page/numbers.ts';
import type { PageStore } from '../page/page-store.ts';

/** Microseconds over which requests are counted. */
const SECOND = 1e6;

interface Props {
  readonly store: PageStore;
  readonly live: LiveSource;
}

export function LiveBar({ store, live }: Props): JSX.Element {
  const { state, isPaused } = live;
  const { now, requests } = store.view;
  const total = (requests.at(-1)?.sequence ?? -1) + 1;
  return (
    <section class="player" aria-label="The machine">
      <div class="buttons">
        <button
          type="button"
          class="primary"
          id="play"
          disabled={state.kind !== 'running' && !isPaused}
          title="Pause or go on (Space)"
          onClick={() => (isPaused ? store.play() : store.pause())}
        >
          {isPaused ? 'Go on' : 'Pause'}
        </button>
        <p id="live-state" class={`live ${isPaused ? 'paused' : state.kind}`} role="status">
          {stateText(live)}
        </p>
        <p class="position">
          <span id="request-total">{counted(total, 'request')}</span>,{' '}
          {countText(requestsOfLastSecond(store))} in the last second
          <span class="clock">{secondsText(now.time)}</span>
        </p>
      </div>
    </section>
  );
}

function stateText(live: LiveSource): string {
  const { state, isPaused } = live;
  if (state.kind === 'ended') {
    return `${state.reason}; ${endText(live)}`;
  }
  if (isPaused) return 'paused; the machine goes on';
  return state.kind === 'running' ? 'live' : 'waiting for the machine';
}

function endText({ isPaused, view }: LiveSource): string {
  if (isPaused) return 'paused before, and the rest is kept';
  return view.isBeforeReset
    ? 'domains are those of before the IOMMU was reset'
    : 'this is how it was then';
}

function requestsOfLastSecond({ view: { now, requests } }: PageStore): number {
  const before = requests.findLastIndex(({ time }) => time < now.time - SECOND);
  return requests.length - 1 - before;
}
