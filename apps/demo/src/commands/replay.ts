/** `viommu replay`: drives fresh devices with a trace, and says whether they answer as those did that were recorded. */
import { type Command, Option } from 'commander';
import { CommandError } from '../command-error.ts';
import { parseCount } from './parse-count.ts';

interface ReplayOptions {
  readonly upto?: number;
  readonly json?: boolean;
  readonly web?: boolean;
}

export function addReplayCommand(program: Command): void {
  program
    .command('replay')
    .description('drive fresh devices with a trace, and check each of their answers')
    .argument(
      '[file]',
      'a trace that --record made; with --web, those that come with viommu do, too',
    )
    .option(
      '--upto <number>',
      'stop before this operation, and show what is mapped then',
      parseCount,
    )
    .option('--json', 'print one machine-readable object')
    .addOption(
      new Option(
        '--web',
        'show it in a page, which is there until this program is interrupted',
      ).conflicts(['json', 'upto']),
    )
    .action(replay);
}

async function replay(file: string | undefined, options: ReplayOptions): Promise<void> {
  if (options.web) {
    const { showPage } = await import('../web/show-page.ts');
    await showPage(file === undefined ? {} : { trace: await titled(file) });
    return;
  }
  if (file === undefined) throw new CommandError('replay: name a trace, or give --web');
  const { replayFile } = await import('../trace/replay-file.ts');
  const { replayLines } = await import('../trace/replay-text.ts');
  const result = await replayFile(file, options);
  const lines = options.json
    ? [JSON.stringify(result)]
    : replayLines(result, options.upto !== undefined);
  process.stdout.write(`${lines.join('\n')}\n`);
  if (result.divergence !== undefined) process.exitCode = 1;
}

/** @throws CommandError when it is no trace */
async function titled(path: string) {
  const { readTrace } = await import('../trace/read-trace.ts');
  let title = '';
  await readTrace(path, {
    header: (header) => {
      ({ title } = header);
    },
    step: () => false,
  });
  return { path, title };
}
