/** What one can try on the guest: a button each, and what it does. */
import { hexNumber } from '@viommu/inspector';
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { EXPERIMENTS } from '../../guest/experiments.ts';
import type { GuestSession } from '../../guest/guest-session.ts';
import { counted } from '../../page/numbers.ts';
import type { PageStore } from '../../page/page-store.ts';

interface Props {
  readonly store: PageStore;
  readonly guest: GuestSession;
}

export function ExperimentList({ store, guest }: Props): JSX.Element {
  return (
    <ul class="experiments" aria-label="What to try">
      {EXPERIMENTS.map(({ id, label, explanation, run }) => (
        <Row key={id} explanation={explanation}>
          <button type="button" id={id} disabled={!isRunning(guest)} onClick={() => run(guest)}>
            {label}
          </button>
        </Row>
      ))}
      <StrayAccess store={store} guest={guest} />
      <HeldDma store={store} guest={guest} />
    </ul>
  );
}

function isRunning({ state }: GuestSession): boolean {
  return state.kind === 'running';
}

interface RowProps {
  readonly explanation: string;
  readonly children: ComponentChildren;
}

function Row({ explanation, children }: RowProps): JSX.Element {
  return (
    <li>
      <span class="try">{children}</span>
      <span class="muted">{explanation}</span>
    </li>
  );
}

/** A device that goes astray. */
function StrayAccess({ store, guest }: Props): JSX.Element {
  const { endpoints } = store.view.topology;
  const [chosen, setChosen] = useState(0);
  const endpoint = endpoints[chosen];
  return (
    <Row explanation="the device reads where it was given nothing, is refused, and the kernel says so">
      <button
        type="button"
        id="try-stray"
        disabled={!isRunning(guest) || endpoint === undefined}
        onClick={() => endpoint && guest.stray(endpoint.iommu, endpoint.endpoint)}
      >
        Stray access
      </button>
      <select
        id="stray-endpoint"
        aria-label="Whose"
        value={chosen}
        onChange={({ currentTarget }) => setChosen(Number(currentTarget.value))}
      >
        {endpoints.map(({ name, endpoint: id }, index) => (
          <option key={name} value={index}>
            {name} ({hexNumber(id)})
          </option>
        ))}
      </select>
    </Row>
  );
}

/** The devices stand still, and go on buffer by buffer. */
function HeldDma({ store, guest }: Props): JSX.Element {
  const { isHeld } = guest;
  const waiting = counted(waitingBuffers(store), 'buffer');
  const explanation = isHeld
    ? `${waiting} in the rings; what one of them does is seen alone`
    : 'devices take no more buffers, and then one at a time; the IOMMU goes on';
  return (
    <Row explanation={explanation}>
      <button
        type="button"
        id="hold"
        disabled={!isRunning(guest)}
        aria-pressed={isHeld}
        onClick={() => guest.hold(!isHeld)}
      >
        {isHeld ? 'Go on' : 'Hold DMA'}
      </button>
      <button type="button" id="step-dma" disabled={!isHeld} onClick={() => guest.stepDma()}>
        One buffer
      </button>
    </Row>
  );
}

/** Those that their devices have not taken, as far as they have looked; not those of the IOMMU. */
function waitingBuffers({ view }: PageStore): number {
  const names = view.topology.endpoints.map(({ name }) => name);
  return view.queues.reduce((sum, { device, ring }) => {
    if (ring?.layout !== 'split' || !names.includes(device)) return sum;
    return sum + ((ring.availIdx - ring.nextAvail) & 0xffff);
  }, 0);
}
