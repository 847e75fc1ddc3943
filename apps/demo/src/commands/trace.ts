/** `viommu trace`: prints what is in a trace, decoded, for people or for programs. */
import type { Command } from 'commander';
import { parseCount } from './parse-count.ts';

interface TraceOptions {
  readonly from: number;
  readonly upto?: number;
  readonly function?: string;
  readonly requests?: boolean;
  readonly json?: boolean;
}

export function addTraceCommand(program: Command): void {
  program
    .command('trace')
    .description('print a trace: each operation, what came of it, each request and fault decoded')
    .argument('<file>', 'a trace that --record made')
    .option('--from <number>', 'begin with this operation', parseCount, 0)
    .option('--upto <number>', 'stop before this operation', parseCount)
    .option('--function <name>', 'what is done to one function alone, such as iommu or blk')
    .option('--requests', 'only what the IOMMU was asked, and its faults')
    .option('--json', 'one object per line, for programs')
    .action(trace);
}

async function trace(file: string, options: TraceOptions): Promise<void> {
  const { printTrace } = await import('../trace/print-trace.ts');
  await printTrace(file, options, (line) => {
    process.stdout.write(`${line}\n`);
  });
}
