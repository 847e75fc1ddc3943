/** The hook by which a view is drawn again when the store has changed. */
import { useEffect, useReducer } from 'preact/hooks';
import type { PageStore } from './page-store.ts';

export function useStore(store: PageStore): void {
  const [, redraw] = useReducer((count: number, _: undefined) => count + 1, 0);
  useEffect(() => store.listen(() => redraw(undefined)), [store]);
}
