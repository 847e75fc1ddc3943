/** The result of a replay, in lines. */
import { hexNumber } from '@viommu/inspector';
import type { DomainSnapshot, IommuSnapshot } from '@viommu/iommu-core';
import pc from 'picocolors';
import { statisticsLines } from '../server/server-text.ts';
import type { ReplayResult } from './replay-file.ts';

/** Mappings of a domain that are shown. */
const MAPPINGS_SHOWN = 16;
/** Numbers of each mapping in a snapshot. */
const MAPPING_FIELDS = 4;

/** @param showsState whether to say where the devices stand */
export function replayLines(result: ReplayResult, showsState: boolean): string[] {
  const { title, startedAt, versions, operations, effects, registersRead, interrupts } = result;
  const lines = [
    pc.bold(title),
    `  recorded at ${startedAt} with ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    '',
    `replayed ${operations} operations of ${result.seconds.toFixed(3)} s: ${registersRead} registers read, ${effects} effects, ${interrupts} interrupts`,
    ...statisticsLines(result.statistics).map((line) => `  ${line}`),
  ];
  if (showsState) lines.push('', ...stateLines(result));
  lines.push('', verdict(result));
  return lines;
}

function verdict({ divergence, isComplete }: ReplayResult): string {
  if (divergence !== undefined) {
    const { index, seconds, function: name, operation, expected, actual } = divergence;
    return pc.red(
      `differs at operation ${index}, at ${seconds.toFixed(6)} s, ${operation} of ${name}: recorded was ${expected}; now it is ${actual}`,
    );
  }
  if (!isComplete) {
    return pc.yellow('the recording was cut off; every answer up to there is as recorded');
  }
  return pc.green('every answer is as recorded');
}

function stateLines({ state }: ReplayResult): string[] {
  return Object.entries(state).flatMap(([name, snapshot]) => {
    const iommu = iommuOf(snapshot);
    return iommu === undefined ? [] : [pc.bold(name), ...iommuLines(iommu)];
  });
}

/** The IOMMU's part of the snapshot of its function. */
function iommuOf(snapshot: object): IommuSnapshot | undefined {
  const { session } = snapshot as { session?: { device?: IommuSnapshot } };
  return session?.device?.domains === undefined ? undefined : session.device;
}

function iommuLines({ domains, bypass }: IommuSnapshot): string[] {
  const lines = [`  endpoints without a domain ${bypass ? 'bypass it' : 'reach nothing'}`];
  for (const domain of domains) lines.push(...domainLines(domain));
  return lines;
}

function domainLines({ id, bypass, endpoints, mappings }: DomainSnapshot): string[] {
  const count = mappings.length / MAPPING_FIELDS;
  const lines = [
    `  domain ${id}${bypass ? ' (bypass)' : ''}: endpoints ${endpoints.map(hexNumber).join(', ')}; ${count} mappings`,
  ];
  for (let index = 0; index < Math.min(count, MAPPINGS_SHOWN); index += 1) {
    const [virtStart, virtEnd, physStart] = mappings.slice(MAPPING_FIELDS * index);
    lines.push(
      `    ${hexNumber(virtStart!)}..${hexNumber(virtEnd!)} is at ${hexNumber(physStart!)}`,
    );
  }
  if (count > MAPPINGS_SHOWN) lines.push(`    and ${count - MAPPINGS_SHOWN} more`);
  return lines;
}
