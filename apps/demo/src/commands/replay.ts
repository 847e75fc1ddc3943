/** `viommu replay`: drives fresh devices with a trace, and says whether they answer as those did that were recorded. */
import type { Command } from 'commander';
import { parseCount } from './parse-count.ts';

interface ReplayOptions {
  readonly upto?: number;
  readonly json?: boolean;
}

export function addReplayCommand(program: Command): void {
  program
    .command('replay')
    .description('drive fresh devices with a trace, and check each of their answers')
    .argument('<file>', 'a trace that --record made')
    .option(
      '--upto <number>',
      'stop before this operation, and show what is mapped then',
      parseCount,
    )
    .option('--json', 'print one machine-readable object')
    .action(replay);
}

async function replay(file: string, options: ReplayOptions): Promise<void> {
  const { replayFile } = await import('../trace/replay-file.ts');
  const { replayLines } = await import('../trace/replay-text.ts');
  const result = await replayFile(file, options);
  const lines = options.json
    ? [JSON.stringify(result)]
    : replayLines(result, options.upto !== undefined);
  process.stdout.write(`${lines.join('\n')}\n`);
  if (result.divergence !== undefined) process.exitCode = 1;
}
