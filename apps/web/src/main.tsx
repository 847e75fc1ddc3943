/**
 * Starts the page. Where its address says `#live` it follows the machine of the program that serves it; else it makes the worker, and
 * opens what the address names, or the first scenario. The list of traces comes later.
 */
import { render } from 'preact';
import { GuestSession } from './guest/guest-session.ts';
import { followSocket } from './live/socket-source.ts';
import { PageStore } from './page/page-store.ts';
import { fetchTraceIndex, SHIPPED_RUNS, type Shipped } from './page/trace-index.ts';
import { App } from './views/app.tsx';
import 'uplot/dist/uPlot.min.css';
import './styles/theme.css';
import './styles/base.css';
import './styles/player.css';
import '@xterm/xterm/css/xterm.css';
import './styles/guest.css';
import './styles/figure.css';
import './styles/walk.css';
import './styles/panels.css';
import './styles/map.css';
import './styles/events.css';
import './styles/rings.css';
import './styles/narrow.css';

const store = new PageStore(
  new Worker('replay-worker.js', { type: 'module' }),
  () => new GuestSession(new Worker('guest-worker.js', { type: 'module' })),
);
const place = document.getElementById('app')!;
/** Such as `#trace=x86_64-pci&operation=9000`. */
const asked = new URLSearchParams(location.hash.slice(1));

/** The page is there before the list of its traces is. */
function show(shipped: readonly Shipped[], first: string): void {
  render(<App store={store} shipped={shipped} first={first} />, place);
}

/** The WebSocket lies beside the page. */
function follow(): void {
  const url = new URL('live', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  store.follow(followSocket(new WebSocket(url)));
}

async function openAsked(): Promise<void> {
  const name = asked.get('trace') ?? SHIPPED_RUNS[0]!.name;
  const operation = Number(asked.get('operation') ?? Number.NaN);
  const position = Number.isInteger(operation) ? operation : undefined;
  const run = SHIPPED_RUNS.find((one) => one.name === name);
  show(SHIPPED_RUNS, run?.name ?? '');
  if (run !== undefined) store.open(run, position);
  const shipped = [...SHIPPED_RUNS, ...(await fetchTraceIndex())];
  const first = run ?? shipped.find((one) => one.name === name) ?? shipped[0]!;
  show(shipped, first.name);
  if (first !== run) store.open(first, position);
}

// What was evaluated until here was a task of some length, and to draw the page is another.
await new Promise((resolve) => setTimeout(resolve));
if (asked.has('live')) {
  follow();
  show([], '');
} else {
  await openAsked().catch((error: unknown) => {
    store.fail(error instanceof Error ? error.message : String(error));
  });
}
