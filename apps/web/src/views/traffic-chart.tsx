/** Throughput of each endpoint over the time of the trace, as a chart. */
import { type EndpointTraffic, hexNumber } from '@viommu/inspector';
import type { JSX } from 'preact';
import type uPlot from 'uplot';
import { bytesText } from '../page/numbers.ts';
import type { PageStore } from '../page/page-store.ts';
import { seriesColour, useChart } from './use-chart.ts';

export function TrafficChart({ store }: { readonly store: PageStore }): JSX.Element {
  const { traffic, topology } = store.view;
  const names = traffic.map(
    (one) =>
      topology.endpoints.find(
        ({ iommu, endpoint }) => iommu === one.iommu && endpoint === one.endpoint,
      )?.name ?? hexNumber(one.endpoint),
  );
  const place = useChart(
    names.join(),
    () => ({
      axis: { values: (_, values) => values.map((value) => `${bytesText(value)}/s`) },
      series: names.map((label, index) => ({
        label,
        stroke: seriesColour(index),
        fill: `color-mix(in srgb, ${seriesColour(index)} 18%, transparent)`,
        width: 1.5,
        points: { show: false },
        value: (_: uPlot, value: number | null) => (value === null ? '–' : `${bytesText(value)}/s`),
      })),
    }),
    () => dataOf(store.view.traffic),
    store.version,
  );

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
