/** The scans, their page and their plots. */
import { expect, it } from 'vitest';
import { Keys } from '../contestants/work.ts';
import { WORKS } from '../contestants/works.ts';
import { REMARKS } from './remarks.ts';
import { scalingChart } from './scaling-chart.ts';
import { scalingPage } from './scaling-page.ts';
import type { ScanResult } from './scan.ts';
import { SCANS } from './scans.ts';

const RESULT: ScanResult = {
  name: 'mappings',
  title: 'Number of mappings',
  size: 'mappings',
  unit: 'ns',
  sizes: [16, 1024, 65_536],
  series: [
    {
      name: 'translation',
      costs: [20, 40.123, 80].map((median) => ({ median, min: median, max: median })),
    },
  ],
};

const TIMES = SCANS.flatMap(({ sizes, series }) =>
  series.filter(({ measure }) => measure === 'time').map((line) => ({ ...line, sizes })),
);

it.each(TIMES)('has a work for $name', ({ words, sizes, multiple }) => {
  const [name = '', ...rest] = words(sizes[1]!);
  const keys = new Keys(rest);
  const work = WORKS.get(name)!(keys);
  keys.finish();
  expect(work.run(multiple ?? 1)).toBeGreaterThan(0);
});

it('says something about each scan, and about no other', () => {
  expect(Object.keys(REMARKS).sort()).toEqual(SCANS.map(({ name }) => name).sort());
});

it('writes a page with tables, plots and what is said by hand', () => {
  const machine = {
    cpu: 'A CPU',
    cores: 2,
    memory: 16 * 2 ** 30,
    system: 'Linux 6',
    node: '20.19.0',
    v8: '11.3',
    toolchains: [],
  };
  const date = new Date('2026-01-02T03:04:05Z');
  const page = scalingPage({ date, machine, batches: 60, results: [RESULT] });
  expect(page).toContain('* 2026-01-02\n* A CPU, 2 cores, 16 GiB of memory, Linux 6\n');
  expect(page).toContain('the least of 60 short batches');
  expect(page).toContain('![Number of mappings](plots/scaling-mappings.svg)');
  expect(page).toContain('| mappings | translation, ns |\n| ---: | ---: |\n| 16 | 20.0 |\n');
  expect(page).toContain('| 65,536 | 80.0 |\n');
  expect(page).toContain(REMARKS.mappings![0]);
});

it('plots on logarithmic axes, for any background', () => {
  const svg = scalingChart(RESULT);
  expect(svg).toMatch(/^<svg /);
  for (const text of ['translation', 'mappings', '>16<', '>1 Ki<', '>64 Ki<']) {
    expect(svg).toContain(text);
  }
  expect(svg).not.toContain('NaN');
});
