/** useChart: a uPlot chart in a box of the page, as wide as the box, in the colours of the page. */
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { colour, onColoursChange } from './colours.ts';

const HEIGHT = 170;
const SERIES = ['--series-1', '--series-2', '--series-3', '--series-4'];

/** Of the n-th row of data. */
export function seriesColour(index: number): string {
  return colour(SERIES[index % SERIES.length]!);
}

interface ChartParts {
  readonly series: readonly uPlot.Series[];
  /** Of the values. */
  readonly axis: uPlot.Axis;
  readonly scales?: uPlot.Scales;
}

/**
 * @param key names the series: the chart is made anew when it changes
 * @param partsOf is asked for its parts then, and when the colours have changed
 * @param version says that the data has changed
 * @returns where the box of the chart goes
 */
export function useChart(
  key: string,
  partsOf: () => ChartParts,
  dataOf: () => uPlot.AlignedData,
  version: number,
): RefObject<HTMLDivElement | null> {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);

  useEffect(() => {
    const box = place.current!;
    const make = (): void => {
      chart.current?.destroy();
      chart.current = new uPlot(optionsOf(partsOf(), box.clientWidth), dataOf(), box);
    };
    make();
    const resized = new ResizeObserver(() => {
      chart.current?.setSize({ width: box.clientWidth, height: HEIGHT });
    });
    resized.observe(box);
    const forget = onColoursChange(make);
    return () => {
      resized.disconnect();
      forget();
      chart.current?.destroy();
      chart.current = undefined;
    };
  }, [key]);

  useEffect(() => chart.current?.setData(dataOf()), [version]);

  return place;
}

function optionsOf({ series, axis, scales }: ChartParts, width: number): uPlot.Options {
  const every = {
    stroke: colour('--muted'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1 },
    font: '11px system-ui, sans-serif',
  };
  return {
    width,
    height: HEIGHT,
    scales: { x: { time: false }, ...scales },
    cursor: { y: false },
    legend: { live: true },
    axes: [
      { ...every, values: (_, values) => values.map((value) => `${value} s`) },
      { ...every, size: 74, ...axis },
    ],
    series: [
      { label: 'time', value: (_, value) => (value === null ? '–' : `${value.toFixed(2)} s`) },
      ...series,
    ],
  };
}
