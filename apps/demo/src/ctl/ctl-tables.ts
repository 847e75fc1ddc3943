/** What the control socket answers, as tables for people. */
import { hexNumber } from '@viommu/inspector';
import Table from 'cli-table3';
import pico from 'picocolors';
import type {
  DumpedMapping,
  ListResult,
  RulesResult,
  StatResult,
  TranslateResult,
} from '../control/control-protocol.ts';

type Row = readonly (string | number)[];

export function listTables({ iommus }: ListResult): string {
  const endpoints = iommus.flatMap(({ iommu, bypass, endpoints: behind, domains }) =>
    behind.map(({ endpoint, device, domain }): Row => {
      const bypasses =
        domain === null ? bypass : domains.find((one) => one.domain === domain)?.bypass;
      return [iommu, device, hexNumber(endpoint), domain ?? '-', bypasses ? 'untranslated' : ''];
    }),
  );
  const domains = iommus.flatMap(({ iommu, domains: all }) =>
    all.map(({ domain, bypass, mappings }): Row => [iommu, domain, bypass ? 'bypass' : mappings]),
  );
  return [
    table(['IOMMU', 'device', 'endpoint', 'domain', ''], endpoints),
    ...(domains.length > 0 ? [table(['IOMMU', 'domain', 'mappings'], domains)] : []),
  ].join('\n');
}

export function statTables({ iommus, endpoints }: StatResult): string {
  const requests = iommus.flatMap(({ iommu, requests: byName }) =>
    Object.entries(byName).map(([name, { total, byStatus }]): Row => {
      const { OK = 0, ...others } = byStatus;
      const failed = Object.entries(others).map(([status, count]) => `${count} ${status}`);
      return [iommu, name, total, OK, failed.join(', ')];
    }),
  );
  const faults = iommus.map(
    ({ iommu, faults: all, eventsDelivered, eventsDropped, unanswered }): Row => [
      ...[iommu, all, eventsDelivered, eventsDropped, unanswered],
    ],
  );
  const traffic = endpoints.map(
    ({ iommu, device, translatedBytes, bypassedBytes, faults: refused }): Row => [
      ...[iommu, device, translatedBytes, bypassedBytes, refused],
    ],
  );
  return [
    table(['IOMMU', 'request', 'all', 'OK', 'others'], requests),
    table(['IOMMU', 'faults', 'reported', 'not reported', 'unanswered requests'], faults),
    table(['IOMMU', 'device', 'bytes translated', 'bytes untranslated', 'faults'], traffic),
  ].join('\n');
}

export function mappingTable(mappings: readonly DumpedMapping[]): string {
  return table(
    ['virtual', 'to', 'physical', 'bytes', ''],
    mappings.map(({ virtStart, virtEnd, physStart, flags }) => [
      ...[hexNumber(virtStart), hexNumber(virtEnd), hexNumber(physStart)],
      virtEnd - virtStart + 1,
      flagNames(flags),
    ]),
  );
}

export function translateText(result: TranslateResult): string {
  const { device, domain, bypass, access, address, refused } = result;
  const steps = [
    `${device}, ${access} at ${hexNumber(address)}, ${domain === null ? 'in no domain' : `domain ${domain}`}`,
    ...(result.guestPhysical === null
      ? []
      : [`guest-physical ${hexNumber(result.guestPhysical)}${bypass ? ', untranslated' : ''}`]),
    ...(typeof result.userAddress === 'number'
      ? [`the VMM's address ${hexNumber(result.userAddress)}`]
      : []),
    ...(typeof result.hostPhysical === 'number'
      ? [`host-physical ${hexNumber(result.hostPhysical)}`]
      : []),
    ...(refused === null ? [] : [`refused: ${refused}`]),
  ];
  return steps.join('\n-> ');
}

export function rulesTable({ rules }: RulesResult): string {
  if (rules.length === 0) return 'no rules';
  return table(
    ['rule', 'hits', 'of', 'what'],
    rules.map(({ id, hits, fitted, rule }) => [id, hits, fitted, JSON.stringify(rule)]),
  );
}

function flagNames(flags: number): string {
  return ['read', 'write', 'mmio'].filter((_, bit) => (flags & (1 << bit)) !== 0).join(' ');
}

function table(headings: readonly string[], rows: readonly Row[]): string {
  const result = new Table({
    head: headings.map((heading) => pico.bold(heading)),
    colAligns: headings.map((_, column) =>
      rows.length > 0 && rows.every((row) => typeof row[column] === 'number') ? 'right' : 'left',
    ),
    style: { head: [], border: [], compact: true },
  });
  result.push(...rows.map((row) => row.map(String)));
  return result.toString();
}
