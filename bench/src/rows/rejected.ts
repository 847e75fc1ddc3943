/** Rows of designs for the table of mappings that were tried and left: ours is the one that was left, theirs the chosen one. */
import type { CandidateName } from '../rejected/candidates.ts';
import type { ContestRow, Row, ValueRow } from './row.ts';
import { runProbe } from './run-probe.ts';

const COUNT = 262_144;
/** Nodes of 512 entries for more mappings at random fill the memory of a small machine. */
const MEMORY_COUNT = 65_536;
const QUICK_MEMORY_COUNT = 16_384;

const NAMES: readonly (readonly [CandidateName, string])[] = [
  ['chunks', 'sorted chunks'],
  ['radix', 'radix of 512'],
  ['look-aside', 'look-aside of 1024'],
];

function contestRow(
  design: CandidateName,
  name: string,
  unit: string,
  words: readonly [string, ...string[]],
): ContestRow {
  const [work, ...rest] = words;
  return {
    kind: 'contest',
    name,
    unit,
    work: [work, `design=${design}`, `count=${COUNT}`, ...rest],
    theirs: [work, 'design=chosen', `count=${COUNT}`, ...rest],
    multiple: 1,
  };
}

function memoryRow(design: CandidateName, name: string, layout: string): ValueRow {
  return {
    kind: 'value',
    name,
    unit: 'B',
    async measure({ quick }) {
      // Dense ones take 5 bytes each: fewer than these drown in what else is on the heap.
      const isFew = quick && layout !== 'dense';
      const count = `count=${isFew ? QUICK_MEMORY_COUNT : MEMORY_COUNT}`;
      const probe = ['candidate-memory', `layout=${layout}`, count];
      const ours = await runProbe([...probe, `design=${design}`]);
      const theirs = await runProbe([...probe, 'design=chosen']);
      return { ...ours, theirs: theirs.value, runs: 1 };
    },
  };
}

const TRANSLATION = 'ns per translation';
const PAIR = 'ns per pair';
const FAR_PAIR = ['candidate-pair', 'size=1073741824', 'offset=4096'] as const;

/** Their names begin with "rejected: ". */
export const REJECTED_ROWS: readonly Row[] = NAMES.flatMap(([design, title]): readonly Row[] => {
  const name = (what: string) => `rejected: ${title}, ${what}`;
  const translate = (pattern: string) =>
    contestRow(design, name(`translate ${pattern}`), TRANSLATION, [
      'candidate-translate',
      `pattern=${pattern}`,
    ]);
  return [
    translate('random'),
    translate('hot'),
    contestRow(design, name('4 KiB'), PAIR, ['candidate-pair', 'size=4096']),
    contestRow(design, name('1 GiB at +4 KiB'), PAIR, FAR_PAIR),
    memoryRow(design, name('memory per mapping, dense'), 'dense'),
    memoryRow(design, name('memory per mapping, at random'), 'random'),
  ];
});
