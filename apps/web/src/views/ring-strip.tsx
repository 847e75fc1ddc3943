/** The slots of a ring as a strip: what is in flight, what waits, and where the device stands. */
import type { WatchedQueue } from '@viommu/inspector';
import type { JSX } from 'preact';
import { ringSlots, ringWords, type SlotRun } from '../page/ring-slots.ts';

/** More lines than that are no lines any more. */
const LINES_MAX = 64;

interface Props {
  readonly queue: WatchedQueue;
}

export function RingStrip({ queue }: Props): JSX.Element {
  const { size, ring } = queue;
  const slots = ring === undefined ? undefined : ringSlots(size, ring);
  return (
    <div
      class={slots === undefined ? 'strip idle' : 'strip'}
      role="img"
      aria-label={ringWords(queue)}
      style={{ '--lines': Math.min(size, LINES_MAX) }}
    >
      {slots !== undefined && (
        <>
          <Runs runs={slots.waiting} size={size} kind="waiting" />
          <Runs runs={slots.inFlight} size={size} kind="in-flight" />
          {slots.driver !== undefined && <Mark slot={slots.driver} size={size} kind="driver" />}
          <Mark slot={slots.taking} size={size} kind="taking" />
          <Mark slot={slots.giving} size={size} kind="giving" />
        </>
      )}
    </div>
  );
}

interface RunsProps {
  readonly runs: readonly SlotRun[];
  readonly size: number;
  readonly kind: string;
}

function Runs({ runs, size, kind }: RunsProps): JSX.Element {
  return (
    <>
      {runs.map(({ from, count }) => (
        <span
          key={from}
          class={`slots ${kind}`}
          style={{ left: `${(from / size) * 100}%`, width: `${(count / size) * 100}%` }}
        />
      ))}
    </>
  );
}

interface MarkProps {
  readonly slot: number;
  readonly size: number;
  readonly kind: string;
}

/** In the middle of its slot. */
function Mark({ slot, size, kind }: MarkProps): JSX.Element {
  return <span class={`mark ${kind}`} style={{ left: `${((slot + 0.5) / size) * 100}%` }} />;
}
