/** The bar with which a trace is played: buttons, speed, the line of its operations, and the operation at hand in words. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { countText, secondsText } from '../page/numbers.ts';
import type { PageStore } from '../page/page-store.ts';
import { Timeline } from './timeline.tsx';

const SPEEDS: readonly (readonly [number, string])[] = [
  [0.1, '0.1×'],
  [0.5, '0.5×'],
  [1, '1×'],
  [4, '4×'],
  [16, '16×'],
  [Number.POSITIVE_INFINITY, 'fastest'],
];

export function PlayerBar({ store }: { readonly store: PageStore }): JSX.Element {
  const { trace, position, isPlaying, view, step } = store;
  const isOff = trace === undefined;
  /** A number that is not whole: what is drawn meanwhile shall not put another in its place. */
  const [typed, setTyped] = useState<string>();
  const requests = trace?.requests ?? [];
  const faults = trace?.faults ?? [];
  return (
    <section class="player" aria-label="Playback">
      <div class="buttons">
        <button
          type="button"
          disabled={isOff}
          title="To the beginning (0)"
          onClick={() => store.jump(0)}
        >
          ⇤<span class="visually-hidden">to the beginning</span>
        </button>
        <button
          type="button"
          disabled={isOff || position === 0}
          title="One operation back (,)"
          onClick={() => store.jump(position - 1)}
        >
          ◂<span class="visually-hidden">one operation back</span>
        </button>
        <button
          type="button"
          class="primary"
          id="play"
          disabled={isOff}
          title="Play or pause (Space)"
          onClick={() => (isPlaying ? store.pause() : store.play())}
        >
          {isPlaying ? 'Pause' : 'Play'}
        </button>
        <button
          type="button"
          id="step"
          disabled={isOff || position === trace.operations}
          title="One operation on (.)"
          onClick={() => store.stepOne()}
        >
          ▸<span class="visually-hidden">one operation on</span>
        </button>
        <button
          type="button"
          disabled={isOff}
          title="Next request (n)"
          onClick={() => store.jumpAmong(requests, 1)}
        >
          Request ⇥
        </button>
        <button
          type="button"
          disabled={isOff || faults.length === 0}
          title="Next fault (f)"
          onClick={() => store.jumpAmong(faults, 1)}
        >
          Fault ⇥
        </button>
        <label class="speed">
          <span class="visually-hidden">Speed</span>
          <select
            value={String(store.speed)}
            onChange={({ currentTarget }) => store.setSpeed(Number(currentTarget.value))}
          >
            {SPEEDS.map(([speed, label]) => (
              <option key={label} value={String(speed)}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <p class="position">
          <label>
            operation{' '}
            <input
              id="position"
              type="number"
              min="0"
              max={trace?.operations ?? 0}
              value={typed ?? position}
              disabled={isOff}
              onFocus={() => store.isPlaying && store.pause()}
              onInput={({ currentTarget }) => setTyped(currentTarget.value)}
              onChange={({ currentTarget }) => {
                store.jump(currentTarget.valueAsNumber || 0);
                setTyped(undefined);
              }}
              onBlur={() => setTyped(undefined)}
            />
          </label>{' '}
          of <span id="operations">{countText(trace?.operations ?? 0)}</span>
          <span class="clock">{secondsText(view.now.time)}</span>
        </p>
      </div>
      <Timeline store={store} />
      <p class="step" aria-live="off">
        {step === undefined ? (
          <span class="muted">{trace === undefined ? ' ' : 'nothing has happened yet'}</span>
        ) : (
          <>
            <b>{step.actor}</b> {step.text}
            {step.effects.map((effect, index) => (
              // Effects have no other name than their place.
              <span class="effect" key={index}>
                {effect}
              </span>
            ))}
            {step.more > 0 && <span class="effect">and {step.more} more</span>}
          </>
        )}
      </p>
    </section>
  );
}
