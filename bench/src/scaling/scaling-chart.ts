/** The plot of a scan: a line for each cost, both axes logarithmic; an SVG. */
import { LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { ScanResult } from './scan.ts';

use([LineChart, GridComponent, LegendComponent, SVGRenderer]);

const WIDTH = 900;
const HEIGHT = 380;
/** Readable on white and on black. */
const TEXT = '#808080';
const COLOURS = ['#3b82d6', '#2e9e5b', '#d9534f'];

export function scalingChart({ size, unit, sizes, series }: ScanResult): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  const text = { color: TEXT, fontSize: 12, fontFamily: 'sans-serif' };
  const axis = {
    type: 'log' as const,
    nameLocation: 'middle' as const,
    nameTextStyle: text,
    axisLine: { lineStyle: { color: TEXT } },
    splitLine: { lineStyle: { color: TEXT, opacity: 0.25 } },
  };
  chart.setOption({
    animation: false,
    backgroundColor: 'transparent',
    textStyle: text,
    color: COLOURS,
    legend: { top: 0, itemGap: 40, textStyle: text },
    grid: { left: 70, right: 40, top: 36, bottom: 50, outerBoundsMode: 'none' },
    xAxis: {
      ...axis,
      logBase: 4,
      min: sizes[0],
      max: sizes.at(-1),
      name: size,
      nameGap: 28,
      axisLabel: { ...text, formatter: (value: number) => shortened(value) },
    },
    yAxis: { ...axis, logBase: 10, name: unit, nameGap: 46, axisLabel: text },
    series: series.map(({ name, costs }) => ({
      type: 'line' as const,
      name,
      symbolSize: 6,
      data: costs.map(({ min }, index) => [sizes[index]!, min]),
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

const PREFIXES = ['', 'Ki', 'Mi', 'Gi'] as const;

/** A power of two in few digits. */
function shortened(value: number): string {
  const rounded = Math.round(value);
  const step = Math.min(PREFIXES.length - 1, Math.floor(Math.log2(Math.max(rounded, 1)) / 10));
  return `${rounded / 1024 ** step} ${PREFIXES[step]}`.trim();
}
