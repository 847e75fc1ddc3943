/** The table of counts: one line for each group and side. */
import type { MatchedGroup } from '../check/match-rows.ts';
import { applicable, type Counts, tallyOf } from '../check/tally.ts';

export const SUMMARY_HEADER = [
  'part',
  'side',
  'MUST covered',
  'MUST open',
  'SHOULD followed',
  'SHOULD not followed',
  'SHOULD open',
  'left out',
];

export function summaryLines(groups: readonly MatchedGroup[]): string[][] {
  const lines: string[][] = [];
  const sides = ['device', 'driver'] as const;
  for (const { title, sections } of groups) {
    for (const side of sides) {
      const ofSide = sections.filter(({ section }) => section.side === side);
      if (ofSide.length > 0) lines.push([title, side, ...countsOf(ofSide)]);
    }
  }
  for (const side of sides) {
    const ofSide = groups
      .flatMap(({ sections }) => sections)
      .filter(({ section }) => section.side === side);
    if (ofSide.length > 0) lines.push(['all', side, ...countsOf(ofSide)]);
  }
  return lines;
}

function countsOf(sections: MatchedGroup['sections']): string[] {
  const { must, should } = tallyOf(sections);
  return [
    `${must.covered} of ${applicable(must)}`,
    `${must.open}`,
    `${should.covered} of ${applicable(should)}`,
    `${should['not followed']}`,
    `${should.open}`,
    `${leftOut(must)} MUST, ${leftOut(should)} SHOULD`,
  ];
}

/** What belongs to a feature that is not offered, or to a case that cannot arise. */
function leftOut(counts: Counts): number {
  return counts['not offered'] + counts['does not apply'];
}
