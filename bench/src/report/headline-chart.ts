/** The headline chart: a bar for each ratio of ours to theirs, and a mark where its target is; an SVG. */
import { BarChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { RowResult } from '../result.ts';

use([BarChart, ScatterChart, GridComponent, LegendComponent, SVGRenderer]);

const WIDTH = 900;
const ROW_HEIGHT = 26;
const FRAME_HEIGHT = 90;
/** Enough for the longest name in whatever font a viewer has. */
const LABELS_WIDTH = 290;
/** Readable on white and on black. */
const TEXT = '#808080';
const MET = '#2e9e5b';
const MISSED = '#d9534f';
const MARK = '#3b82d6';

/** @param results those without a ratio, or a target of it, are left out */
export function headlineChart(results: readonly RowResult[]): string {
  const shown = results.filter(({ ratio, target }) => ratio !== undefined && target !== undefined);
  const chart = init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: WIDTH,
    height: FRAME_HEIGHT + ROW_HEIGHT * shown.length,
  });
  const text = { color: TEXT, fontSize: 12, fontFamily: 'sans-serif' };
  chart.setOption({
    animation: false,
    backgroundColor: 'transparent',
    textStyle: text,
    legend: { top: 0, itemGap: 40, textStyle: text },
    grid: { left: LABELS_WIDTH, right: 60, top: 30, bottom: 50, outerBoundsMode: 'none' },
    xAxis: {
      type: 'log',
      name: 'ours / theirs, both as time: left of 1 ours is faster',
      nameLocation: 'middle',
      nameGap: 26,
      nameTextStyle: text,
      axisLabel: text,
      splitLine: { lineStyle: { color: TEXT, opacity: 0.25 } },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: shown.map(({ name }) => name),
      axisLabel: text,
      axisLine: { lineStyle: { color: TEXT } },
    },
    series: [
      {
        type: 'bar',
        name: 'ratio',
        itemStyle: { color: MET },
        label: { show: true, position: 'right', ...text, formatter: labelOf },
        data: shown.map(({ ratio, met }) => ({
          value: ratio!,
          itemStyle: { color: met === false ? MISSED : MET },
        })),
      },
      {
        type: 'scatter',
        name: 'target',
        symbol: 'rect',
        symbolSize: [3, 20],
        itemStyle: { color: MARK },
        data: shown.flatMap(({ target }, index) => (target === undefined ? [] : [[target, index]])),
      },
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

function labelOf({ value }: { value: unknown }): string {
  return Number(value).toPrecision(2);
}
