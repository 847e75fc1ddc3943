/** The page docs/peers-conformance.md, made of what came of the cases. */
import type { CaseOutcome } from '@viommu/virtqueue/testing';

/** What came of one suite. */
export interface PageSection {
  readonly title: string;
  readonly outcomes: readonly CaseOutcome[];
}

/** @param version such as `11.1.3` */
export function conformancePage(version: string, sections: readonly PageSection[]): string {
  const peer = `QEMU ${version.split('.').slice(0, 2).join('.')}`;
  return `# Other virtio-iommus, by our suites

\`iommuSuite\` of \`@viommu/iommu-core/testing\` and \`deviceRingSuite\` of \`@viommu/virtqueue/testing\` ask a device through its
registers and queues alone. Here they were run on the \`virtio-iommu-pci\` of ${peer}, without a guest, with two of QEMU's
\`iommu-testdev\` behind it. \`apps/demo/test/peers-conformance.guest.test.ts\` makes this page, and fails when the device does
otherwise than it says here.

**MUST**, **SHOULD** and **MAY** are the standard's; "described" is what it tells in other words; "ours" is what it leaves open, and what
this repository holds its own devices to: to differ there is no fault.
${sections.map((section) => sectionText(peer, section)).join('')}`;
}

function sectionText(peer: string, { title, outcomes }: PageSection): string {
  const withResult = (...results: CaseOutcome['result'][]) =>
    outcomes.filter(({ result }) => results.includes(result));
  const [departed, passed] = [withResult('departed'), withResult('passed')];
  const untried = withResult('skipped', 'left out');
  const asked = ({ section, level, says }: CaseOutcome) =>
    `${section}, ${levelText(level)}: ${says}`;
  return `
## ${title}

Of ${outcomes.length} cases ${passed.length} came out as asked, ${departed.length} otherwise, and ${untried.length} could not be tried.

${table(
  ['otherwise', 'what is asked', `what ${peer} does`],
  departed.map((outcome) => [outcome.name, asked(outcome), outcome.note ?? '']),
)}

${table(
  ['as asked', 'what is asked'],
  passed.map((outcome) => [outcome.name, asked(outcome)]),
)}
${
  untried.length === 0
    ? ''
    : `
${table(
  ['not tried', 'why'],
  untried.map(({ name, note }) => [name, note ?? '']),
)}
`
}`;
}

function levelText(level: CaseOutcome['level']): string {
  return level === 'MUST' || level === 'SHOULD' || level === 'MAY' ? `**${level}**` : level;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), `|${heads.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}
