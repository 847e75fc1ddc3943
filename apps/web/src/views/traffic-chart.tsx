/** Throughput of each endpoint over the time of the trace, as a chart. */
import { type EndpointTraffic, hexNumber } from '@viommu/inspector';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { bytesText } from '../page/numbers.ts';
import type { PageStore } from '../page/page-store.ts';
import { colour, onColoursChange } from './colours.ts';

const HEIGHT = 170;
const SERIES = ['--series-1', '--series-2', '--series-3', '--series-4'];

export function TrafficChart({ store }: { readonly store: PageStore }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const { traffic, topology } = store.view;
  const names = traffic.map(
    (one) =>
      topology.endpoints.find(
        ({ iommu, endpoint }) => iommu === one.iommu && endpoint === one.endpoint,
      )?.name ?? hexNumber(one.endpoint),
  );
  const key = names.join();

  // The names are the key.
  useEffect(() => {
    const box = place.current!;
    const make = (): void => {
      chart.current?.destroy();
      chart.current = new uPlot(optionsOf(names, box.clientWidth), dataOf(store.view.traffic), box);
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

  // The version says that the traffic has changed.
  useEffect(() => chart.current?.setData(dataOf(traffic)), [store.version]);

  return (
    <section class="panel traffic" aria-labelledby="traffic-title">
      <h2 id="traffic-title">Throughput</h2>
      <div ref={place} />
      <table class="visually-hidden">
        <caption>Bytes of each endpoint</caption>
        <tbody>
          {traffic.map(({ iommu, endpoint, readBytes, writtenBytes, faults }, index) => (
            <tr key={`${iommu}:${endpoint}`} data-endpoint={`${iommu}:${endpoint}`}>
              <th>{names[index]}</th>
              <td data-bytes={readBytes + writtenBytes}>
                {readBytes} read, {writtenBytes} written, {faults} faults
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function optionsOf(names: readonly string[], width: number): uPlot.Options {
  const axis = {
    stroke: colour('--muted'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1 },
    font: '11px system-ui, sans-serif',
  };
  return {
    width,
    height: HEIGHT,
    scales: { x: { time: false } },
    cursor: { y: false },
    legend: { live: true },
    axes: [
      { ...axis, values: (_, values) => values.map((value) => `${value} s`) },
      { ...axis, size: 74, values: (_, values) => values.map((value) => `${bytesText(value)}/s`) },
    ],
    series: [
      { label: 'time', value: (_, value) => (value === null ? '–' : `${value.toFixed(2)} s`) },
      ...names.map((label, index) => ({
        label,
        stroke: colour(SERIES[index % SERIES.length]!),
        fill: `color-mix(in srgb, ${colour(SERIES[index % SERIES.length]!)} 18%, transparent)`,
        width: 1.5,
        points: { show: false },
        value: (_: uPlot, value: number | null) => (value === null ? '–' : `${bytesText(value)}/s`),
      })),
    ],
  };
}

/** All endpoints in the same intervals, from the first one in which there was anything. */
function dataOf(traffic: readonly EndpointTraffic[]): uPlot.AlignedData {
  const interval = Math.max(1000, ...traffic.map((one) => one.interval));
  const rows = traffic.map(({ bytes, interval: own }) => {
    const ratio = interval / own;
    const row = new Array<number>(Math.ceil(bytes.length / ratio)).fill(0);
    for (const [at, one] of bytes.entries()) row[Math.floor(at / ratio)]! += one;
    return row;
  });
  const length = Math.max(0, ...rows.map((row) => row.length));
  const starts = rows.map((row) => row.findIndex((bytes) => bytes > 0)).filter((at) => at >= 0);
  const first = Math.max(Math.min(length, ...starts) - 1, 0);
  const seconds = interval / 1e6;
  const times = Array.from({ length: length - first }, (_, at) => (first + at) * seconds);
  return [times, ...rows.map((row) => times.map((_, at) => (row[first + at] ?? 0) / seconds))];
}
