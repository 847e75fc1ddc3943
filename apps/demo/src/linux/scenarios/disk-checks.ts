/** What every scenario with disks has to hold: what the guest wrote and read is what is in the files. */
import { statSync } from 'node:fs';
import { sha256OfRange } from '../disk-image.ts';
import type { Check, ScenarioOutcome } from './scenario.ts';

/** Of each disk that the guest wrote to, the first write; and of each that it read, the last read. */
export function checkDisks({ run, disks }: ScenarioOutcome): Check[] {
  const { writes = [], reads = [] } = run.report.boots[0] ?? {};
  return disks.flatMap((path, index): Check[] => {
    const name = `vd${'abcdef'[index]}`;
    const size = statSync(path).size;
    const write = writes.find(({ disk }) => disk === name);
    const read = reads.findLast(({ disk }) => disk === name);
    const agrees = (seen: typeof write): boolean =>
      seen !== undefined &&
      seen.offset + seen.length <= size &&
      seen.sha256 === sha256OfRange(path, seen.offset, seen.length);
    return [
      {
        holds: agrees(write),
        text: `${name}: ${write?.length ?? 0} bytes that the guest wrote are in the file: ${write?.sha256 ?? 'nothing'}`,
      },
      {
        holds: agrees(read),
        text: `${name}: ${read?.length ?? 0} bytes that the guest read are those of the file: ${read?.sha256 ?? 'nothing'}`,
      },
    ];
  });
}
