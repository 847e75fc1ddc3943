/** The guest that runs in the page: its terminal, and what one can try on it. */
import type { JSX } from 'preact';
import type { GuestSession } from '../../guest/guest-session.ts';
import type { PageStore } from '../../page/page-store.ts';
import { ExperimentList } from './experiment-list.tsx';
import { GuestScreen } from './guest-screen.tsx';

interface Props {
  readonly store: PageStore;
  readonly guest: GuestSession;
}

export function GuestPanel({ store, guest }: Props): JSX.Element {
  const { state } = guest;
  return (
    <section class="panel guest" aria-label="The guest">
      <h2>
        {state.kind === 'running' ? `Linux ${state.kernelRelease}` : 'Linux'}{' '}
        <span class="muted">
          in this page: its virtio_iommu drives the IOMMU below, and all that its devices access
          goes through it
        </span>
        <button type="button" id="boot-again" onClick={() => store.bootGuest()}>
          Boot again
        </button>
      </h2>
      {state.kind === 'missing' && <Missing />}
      {state.kind === 'failed' && (
        <p class="problem" role="alert">
          The guest has failed: {state.message}
        </p>
      )}
      {(state.kind === 'loading' || state.kind === 'running') && (
        <div class="guest-body">
          <GuestScreen guest={guest} />
          {state.kind === 'loading' && <Loading bytes={state.bytes} total={state.total} />}
          <ExperimentList store={store} guest={guest} />
          <p class="muted licences">
            Linux, BusyBox and SeaBIOS are programs of others:{' '}
            <a href="guest/LICENCES.txt">licences and sources</a>
          </p>
        </div>
      )}
    </section>
  );
}

function Loading({
  bytes,
  total,
}: {
  readonly bytes: number;
  readonly total: number;
}): JSX.Element {
  return (
    <p class="loading">
      <label for="guest-progress">Loading kernel, programs and emulator</label>
      <progress id="guest-progress" value={bytes} max={total || 1} />
      <span>
        {megabytes(bytes)} of {megabytes(total)} MB
      </span>
    </p>
  );
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function Missing(): JSX.Element {
  return (
    <p id="guest-missing">
      This copy of the page comes without a kernel. In a clone of viommu, on Debian,{' '}
      <code>pnpm build:web</code> makes one of Debian’s packages in some minutes, and a page with
      it. Until then there are the scenarios and the recorded boots in the list above.
    </p>
  );
}
