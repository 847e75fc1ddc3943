/** What another process holds: its descriptors by kind, and its mappings. From /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

export interface ProcessUse {
  /** Open descriptors by kind, such as `socket`, `anon_inode:[eventfd]` or the path of a file. */
  readonly descriptors: Readonly<Record<string, number>>;
  /** Lines of /proc/PID/maps. */
  readonly mappings: number;
  /** Those of files that a client shared. */
  readonly sharedMappings: number;
  /** Those that are as large as a guest's memory, and can be read. */
  readonly largeMappings: number;
}

const LARGE = 256 << 20;
/** A process whose descriptors have not changed for so long is at rest. */
const REST_MILLISECONDS = 500;

export function processUse(pid: number): ProcessUse {
  const maps = readFileSync(`/proc/${pid}/maps`, 'utf8').trimEnd().split('\n');
  return {
    descriptors: descriptorsOf(pid),
    mappings: maps.length,
    sharedMappings: maps.filter((line) => line.includes(' /memfd:')).length,
    largeMappings: maps.filter(isLarge).length,
  };
}

/** What it holds when its clients are gone, and it has noticed. */
export async function useAtRest(pid: number): Promise<ProcessUse> {
  for (let last = processUse(pid); ; ) {
    await setTimeout(REST_MILLISECONDS);
    const now = processUse(pid);
    if (descriptorsText(now) === descriptorsText(last)) return now;
    last = now;
  }
}

/** The same kinds of descriptors, as many of each, in one text. */
export function descriptorsText({ descriptors }: ProcessUse): string {
  const kinds = Object.entries(descriptors).sort(([one], [other]) => (one < other ? -1 : 1));
  return kinds.map(([kind, count]) => `${count} ${kind}`).join(', ');
}

function descriptorsOf(pid: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const kind = kindOf(`/proc/${pid}/fd/${fd}`);
    if (kind !== undefined) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** Without the number of an inode; undefined when it was closed meanwhile. */
function kindOf(link: string): string | undefined {
  try {
    return readlinkSync(link).replace(/:\[\d+\]$/, '');
  } catch {
    return undefined;
  }
}

function isLarge(line: string): boolean {
  const [range = '', permissions = ''] = line.split(' ');
  const [start = '0', end = '0'] = range.split('-');
  return permissions.startsWith('r') && Number(`0x${end}`) - Number(`0x${start}`) >= LARGE;
}
