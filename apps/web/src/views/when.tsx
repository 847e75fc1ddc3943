/** When something happened; of a trace, it leads there. */
import type { Moment } from '@viommu/inspector';
import type { JSX } from 'preact';
import { secondsText } from '../page/numbers.ts';
import type { PageStore } from '../page/page-store.ts';

export function When({
  store,
  operation,
  time,
}: Moment & { readonly store: PageStore }): JSX.Element {
  if (store.live !== undefined) return <>{secondsText(time)}</>;
  return (
    <>
      <button type="button" class="link" onClick={() => store.jump(operation + 1)}>
        operation {operation}
      </button>
      , {secondsText(time)}
    </>
  );
}
