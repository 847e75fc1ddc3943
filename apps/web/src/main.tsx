/**
 * Starts the page. Where its address says `#live` it follows the machine of the program that serves it; else it makes the worker, and
 * opens what the address names, or the first scenario. The list of traces comes later.
 */
import { render } from 'preact';
import { SocketSource } from './live/socket-source.ts';
import { PageStore } from './page/page-store.ts';
import { fetchTraceIndex, SHIPPED_SCENARIOS, type Shipped } from './page/trace-index.ts';
import { App } from './views/app.tsx';
import 'uplot/dist/uPlot.min.css';
import './styles/theme.css';
import './styles/base.css';
import './styles/player.css';
import './styles/figure.css';
import './styles/walk.css';
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
function show(shipped: readonly Shipped[], first: string): void {
  render(<App store={store} shipped={shipped} first={first} />, place);
}

/** The WebSocket lies beside the page. */
function follow(): void {
  const url = new URL('live', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  store.follow(new SocketSource(new WebSocket(url)));
}

async function openAsked(): Promise<void> {
  const name = asked.get('trace') ?? SHIPPED_SCENARIOS[0]!.name;
  const operation = Number(asked.get('operation') ?? Number.NaN);
  const position = Number.isInteger(operation) ? operation : undefined;
  const scenario = SHIPPED_SCENARIOS.find((one) => one.name === name);
  show(SHIPPED_SCENARIOS, scenario?.name ?? '');
  if (scenario !== undefined) store.open(scenario, position);
  const shipped = [...SHIPPED_SCENARIOS, ...(await fetchTraceIndex())];
  const first = scenario ?? shipped.find((one) => one.name === name) ?? shipped[0]!;
  show(shipped, first.name);
  if (first !== scenario) store.open(first, position);
}

if (asked.has('live')) {
  follow();
  show([], '');
} else {
  await openAsked().catch((error: unknown) => {
    store.fail(error instanceof Error ? error.message : String(error));
  });
}
