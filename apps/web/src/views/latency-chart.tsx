/** How long the buffers of each queue took over the time of the trace, as a chart: the median and the worst of each interval. */
import type { QueueLatency, WatchedDurations } from '@viommu/inspector';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import uPlot from 'uplot';
import { countText, durationText } from '../page/numbers.ts';
import type { PageStore } from '../page/page-store.ts';
import { colour } from './colours.ts';
import { seriesColour, useChart } from './use-chart.ts';

type Measure = 'waiting' | 'working';

const MEASURES: readonly (readonly [Measure, string, string])[] = [
  ['waiting', 'Kick to taken', 'From the kick until the device took the buffer'],
  ['working', 'Taken to used', 'From being taken until the buffer was used'],
];
/** Linear up to here, then logarithmic: most take some microseconds, a few a thousand times as long. */
const LINEAR_UNTIL = 10;

export function LatencyChart({ store }: { readonly store: PageStore }): JSX.Element {
  const [chosen, setChosen] = useState<Measure>();
  const { latency, queues } = store.view;
  const measure = chosen ?? measureOf(latency);
  const shown = latency.filter((one) => one[measure].count > 0);
  const nameOf = ({ device, queue }: QueueLatency): string =>
    `${device} ${queues.find((one) => one.device === device && one.queue === queue)?.name}`;
  const names = shown.map(nameOf);
  const value = (_: uPlot, one: number | null): string =>
    typeof one === 'number' ? durationText(one) : '–';
  const place = useChart(
    `${measure} ${names.join()}`,
    () => ({
      axis: {
        // Those of the library begin below 0, over the labels of the time.
        splits: (_, _axis, _least, most) => ticksTo(most),
        filter: (_, ticks) => ticks,
        values: (_, values) => values.map(durationText),
      },
      scales: {
        y: {
          distr: 4,
          asinh: LINEAR_UNTIL,
          range: (_, _least, most) => [0, Math.max(1.3 * most, LINEAR_UNTIL)],
        },
      },
      series: names.flatMap((name, index) => {
        const stroke = seriesColour(index);
        // Between two intervals in which something ended there may be a minute in which nothing did: no line joins them.
        const dots = { stroke, paths: () => null, value };
        return [
          { ...dots, label: name, points: { show: true, size: 5, fill: stroke } },
          {
            ...dots,
            label: `${name}, worst`,
            points: { show: true, size: 6, width: 1, fill: colour('--surface') },
          },
        ];
      }),
    }),
    () => dataOf(shown.map((one) => one[measure])),
    store.version,
  );
  return (
    <section class="panel traffic" aria-labelledby="latency-title">
      <header class="latency-head">
        <h2 id="latency-title">Latency</h2>
        {MEASURES.map(([one, label, title]) => (
          <button
            type="button"
            key={one}
            title={title}
            aria-pressed={one === measure}
            onClick={() => setChosen(one)}
          >
            {label}
          </button>
        ))}
      </header>
      <div ref={place} />
      <p class="about muted">
        {shown.length === 0
          ? emptyText(measure, store)
          : 'Filled: the median of an interval. Hollow: its worst.'}
      </p>
      <div class="visually-hidden">
        <table>
          <caption>How long the buffers of each queue took</caption>
          <tbody>
            {latency.map((one) => (
              <tr key={nameOf(one)} data-latency={`${one.device}:${one.queue}`}>
                <th>{nameOf(one)}</th>
                {MEASURES.map(([each, label]) => (
                  <td
                    key={each}
                    data-measure={each}
                    data-count={one[each].count}
                    data-worst={one[each].worst}
                  >
                    {label}: {durationsText(one[each])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function ticksTo(most: number): number[] {
  const ticks = [0];
  for (let tick = LINEAR_UNTIL; tick <= most; tick *= 10) ticks.push(tick);
  return ticks;
}

/** The one that there is more of. */
function measureOf(latency: readonly QueueLatency[]): Measure {
  const total = (measure: Measure): number =>
    latency.reduce((sum, one) => sum + one[measure].count, 0);
  return total('working') > total('waiting') ? 'working' : 'waiting';
}

function emptyText(measure: Measure, { trace }: PageStore): string {
  if (measure === 'waiting' || trace === undefined) return 'Nothing was measured yet.';
  return 'A recording has one time for all that a device does in an operation: of buffers that were used at once it does not tell.';
}

function durationsText({ count, median, worst }: WatchedDurations): string {
  if (count === 0) return 'none';
  return `${durationText(median)} in the median, ${durationText(worst)} at worst, of ${countText(count)}`;
}

/** By queue a row of medians and one of worst ones, where there are any. */
function dataOf(durations: readonly WatchedDurations[]): uPlot.AlignedData {
  if (durations.length === 0) return [[]];
  const tables = durations.map(({ interval, medians, worsts }): uPlot.AlignedData => {
    const parts = [...medians.keys()].filter((at) => medians[at]! >= 0);
    return [
      parts.map((at) => ((at + 0.5) * interval) / 1e6),
      parts.map((at) => medians[at]!),
      parts.map((at) => worsts[at]!),
    ];
  });
  return uPlot.join(tables);
}
