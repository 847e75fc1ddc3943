/** The keys of the page: what each does when nothing else on the page has a use for it. */
import type { PageStore } from './page-store.ts';

export interface PageKey {
  readonly key: string;
  /** As the page writes it. */
  readonly label: string;
  readonly does: string;
  /** Whether it is of use while a machine runs. */
  readonly isLive?: boolean;
  readonly action: (store: PageStore) => void;
}

const PAGE_KEYS: readonly PageKey[] = [
  {
    key: ' ',
    label: 'Space',
    does: 'play or pause',
    isLive: true,
    action: (store) => (store.isPlaying ? store.pause() : store.play()),
  },
  { key: '.', label: '.', does: 'one operation on', action: (store) => store.stepOne() },
  {
    key: ',',
    label: ',',
    does: 'one operation back',
    action: (store) => store.jump(store.position - 1),
  },
  {
    key: 'n',
    label: 'n',
    does: 'next request',
    action: (store) => store.jumpAmong(store.trace?.requests ?? [], 1),
  },
  {
    key: 'p',
    label: 'p',
    does: 'previous request',
    action: (store) => store.jumpAmong(store.trace?.requests ?? [], -1),
  },
  {
    key: 'f',
    label: 'f',
    does: 'next fault',
    action: (store) => store.jumpAmong(store.trace?.faults ?? [], 1),
  },
  { key: '0', label: '0', does: 'to the beginning', action: (store) => store.jump(0) },
];

/** Those that do something now. */
export function keysOf({ live, trace }: PageStore): readonly PageKey[] {
  if (live !== undefined) return PAGE_KEYS.filter(({ isLive }) => isLive);
  return trace === undefined ? [] : PAGE_KEYS;
}

/** Whoever types means the field, and a button takes the space key itself. */
function isTaken(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.matches('input:not([type=range]):not([type=checkbox]), select, textarea')) return true;
  return key === ' ' && target.matches('button, a, input, summary, [role=button]');
}

export function listenToKeys(store: PageStore): () => void {
  const pressed = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const found = keysOf(store).find(({ key }) => key === event.key);
    if (found === undefined || isTaken(event.target, event.key)) return;
    event.preventDefault();
    found.action(store);
  };
  addEventListener('keydown', pressed);
  return () => removeEventListener('keydown', pressed);
}
