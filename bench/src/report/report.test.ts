/** The table, the page, the object and the chart of a few results. */
import { describe, expect, it } from 'vitest';
import { contestResult, type RowResult } from '../result.ts';
import type { ContestRow } from '../rows/row.ts';
import { cellsOf, figure } from './cells.ts';
import { headlineChart } from './headline-chart.ts';
import { jsonReport } from './json.ts';
import { resultsPage } from './results-page.ts';
import { resultTable } from './table.ts';

const ROW: ContestRow = {
  kind: 'contest',
  name: 'ring direct / rust',
  unit: 'ns per chain',
  work: ['ring', 'layout=direct'],
  theirs: 'rust',
  target: 0.5,
  multiple: 128,
};
const OURS = { median: 100, min: 90, max: 123.4 };
const THEIRS = { median: 160, min: 150, max: 170 };
const MISSED = contestResult(ROW, OURS, THEIRS, 15);
const ALONE = contestResult(ROW, OURS, undefined, 15);
const VALUE: RowResult = {
  name: 'memory per mapping, dense',
  unit: 'B',
  ours: { median: 50.34, min: 50.34, max: 50.34 },
  theirs: undefined,
  ratio: undefined,
  target: 100,
  targetOf: 'value',
  met: true,
  runs: 1,
  note: 'a | b',
};
const MACHINE = {
  cpu: 'A CPU',
  cores: 2,
  memory: 16 * 2 ** 30,
  system: 'Linux 6',
  node: '20.19.0',
  v8: '11.3',
  toolchains: ['rustc 1.90.0'],
};

describe('a result', () => {
  it('compares the medians with the target', () => {
    expect(MISSED.ratio).toBe(0.625);
    expect(MISSED.met).toBe(false);
    expect(contestResult({ ...ROW, target: 0.625 }, OURS, THEIRS, 15).met).toBe(true);
  });

  it('judges nothing without a peer or a target', () => {
    expect(ALONE.ratio).toBeUndefined();
    expect(ALONE.met).toBeUndefined();
    const { target: _, ...informing } = ROW;
    expect(contestResult(informing, OURS, THEIRS, 15).met).toBeUndefined();
  });
});

it('shows three digits that count', () => {
  expect([0, 0.01234, 0.5, 9.876, 98.76, 987.6, 98765].map(figure)).toEqual([
    '0',
    '0.0123',
    '0.500',
    '9.88',
    '98.8',
    '988',
    '98765',
  ]);
});

it('has a dash where there is nothing', () => {
  expect(cellsOf(MISSED)).toEqual([
    'ring direct / rust',
    '100',
    '160',
    'ns per chain',
    '0.625',
    '≤ 0.5',
    'no',
    '90.0 .. 123',
    '150 .. 170',
    '15',
  ]);
  expect(cellsOf(ALONE).slice(2)).toEqual([
    '-',
    'ns per chain',
    '-',
    '≤ 0.5',
    '-',
    '90.0 .. 123',
    '-',
    '15',
  ]);
});

it('has colours in the table only when they are asked for', () => {
  const ESCAPE = '\u001b[';
  expect(resultTable([MISSED, VALUE], false)).not.toContain(ESCAPE);
  expect(resultTable([MISSED, VALUE], true)).toContain(`${ESCAPE}31mno`);
  expect(resultTable([MISSED, VALUE], true)).toContain(`${ESCAPE}32myes`);
});

it('makes an object of which each part survives JSON', () => {
  const report = jsonReport(MACHINE, [MISSED, ALONE, VALUE]);
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  expect(report.rows[0]).toEqual({
    name: 'ring direct / rust',
    ours: 100,
    theirs: 160,
    unit: 'ns per chain',
    ratio: 0.625,
    target: 0.5,
    targetOf: 'ratio',
    met: false,
    runs: 15,
    spread: { ours: [90, 123.4], theirs: [150, 170] },
    note: '',
  });
  expect(report.rows[1]).toMatchObject({ theirs: null, ratio: null, met: null });
});

it('writes a page with the machine, all rows and what was left out', () => {
  const page = resultsPage({
    date: new Date(Date.UTC(2026, 0, 2)),
    machine: MACHINE,
    results: [MISSED, ALONE, VALUE],
    skipped: ['no C compiler'],
  });
  expect(page).toContain('* 2026-01-02\n* A CPU, 2 cores, 16 GiB of memory, Linux 6\n');
  expect(page).toContain('* rustc 1.90.0\n* not measured: no C compiler\n');
  expect(page).toContain('1 of 2 targets are met.');
  expect(page).toContain('| ring direct / rust | 100 | 160 | ns per chain | 0.625 | ≤ 0.5 | no |');
  expect(page).toContain('| memory per mapping, dense (a \\| b) | 50.3 |');
});

it('draws a bar for each ratio, on any background', () => {
  const met = { ...MISSED, name: 'another row', ratio: 0.1, met: true };
  const informing = { ...MISSED, name: 'a row without a target', target: undefined };
  const svg = headlineChart([MISSED, met, ALONE, VALUE, informing]);
  expect(svg).toMatch(/^<svg /);
  expect(svg).toContain('ring direct / rust');
  expect(svg).toContain('another row');
  expect(svg).not.toContain('memory per mapping');
  expect(svg).not.toContain('a row without a target');
  expect(svg).toContain('0.63');
  expect(svg).not.toMatch(/fill="(white|black|#fff|#000)/);
});
