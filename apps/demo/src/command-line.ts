/** The command line: parses it, runs one command, and turns errors into one line and an exit code. */
import { Command, CommanderError } from 'commander';
import { CommandError, messageOf } from './command-error.ts';
import { addBenchCommand } from './commands/bench.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addLinuxCommand } from './commands/linux.ts';
import { addServeCommand } from './commands/serve.ts';

/**
 * @param args what follows the name of the program
 * @param writeError takes the line that says what went wrong
 * @returns the exit code; undefined when a command has set that of the process
 */
export async function runCommandLine(
  args: readonly string[],
  writeError: (text: string) => void,
): Promise<number | undefined> {
  const program = new Command('viommu')
    .description('A virtio-iommu that a stock Linux guest drives, in TypeScript.')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeErr: writeError,
      outputError: (text, write) => {
        const [line = ''] = text.split('\n');
        write(`viommu: ${line.replace(/^error: /, '')}; --help shows what there is\n`);
      },
    });
  addDemoCommand(program);
  addLinuxCommand(program);
  addServeCommand(program);
  addBenchCommand(program);
  try {
    await program.parseAsync(args.length > 0 ? args : ['demo'], { from: 'user' });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    writeError(`viommu: ${messageOf(error)}\n`);
    if (error instanceof CommandError) return error.exitCode;
    if (process.env.VIOMMU_DEBUG && error instanceof Error) writeError(`${error.stack}\n`);
    return 1;
  }
}
