/**
 * Starts the page. Where its address says `#live` it follows the machine of the program that serves it; else it makes the worker,
 * finds the traces, and opens the one that the address names, or the first.
 */
import { render } from 'preact';
import { SocketSource } from './live/socket-source.ts';
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

/** The WebSocket lies beside the page. */
function follow(): void {
  const url = new URL('live', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  store.follow(new SocketSource(new WebSocket(url)));
}

async function openTrace(): Promise<void> {
  const traces = await fetchTraceIndex();
  const trace = traces.find(({ name }) => name === asked.get('trace')) ?? traces[0];
  show(traces, trace?.name ?? '');
  const operation = Number(asked.get('operation') ?? Number.NaN);
  if (trace !== undefined) {
    store.open(trace.url, Number.isInteger(operation) ? operation : undefined);
  }
}

if (asked.has('live')) {
  follow();
  show([], '');
} else {
  show([], '');
  await openTrace().catch((error: unknown) => {
    store.fail(error instanceof Error ? error.message : String(error));
  });
}
