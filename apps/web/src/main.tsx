/** Starts the page: makes the worker, finds the traces, and opens the one that the address names, or the first. */
import { render } from 'preact';
import { PageStore } from './page/page-store.ts';
import { fetchTraceIndex, type ShippedTrace } from './page/trace-index.ts';
import { App } from './views/app.tsx';
import 'uplot/dist/uPlot.min.css';
import './styles/theme.css';
import './styles/base.css';
import './styles/player.css';
import './styles/panels.css';
import './styles/map.css';
import './styles/events.css';
import './styles/rings.css';
import './styles/narrow.css';

const store = new PageStore(new Worker('replay-worker.js', { type: 'module' }));
const place = document.getElementById('app')!;
/** Such as `#trace=x86_64-pci&operation=9000`. */
const asked = new URLSearchParams(location.hash.slice(1));

/** The page is there before the list of its traces is. */
function show(traces: readonly ShippedTrace[], first: string): void {
  render(<App store={store} traces={traces} first={first} />, place);
}

show([], '');
try {
  const traces = await fetchTraceIndex();
  const trace = traces.find(({ name }) => name === asked.get('trace')) ?? traces[0];
  show(traces, trace?.name ?? '');
  const operation = Number(asked.get('operation') ?? Number.NaN);
  if (trace !== undefined) {
    store.open(trace.url, Number.isInteger(operation) ? operation : undefined);
  }
} catch (error) {
  store.fail(error instanceof Error ? error.message : String(error));
}
