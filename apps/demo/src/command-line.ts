/** The command line: parses it, runs one command, and turns errors into one line and an exit code. */
import { Command, CommanderError } from 'commander';
import { CommandError, messageOf } from './command-error.ts';
import { addExamples } from './commands/help-examples.ts';

type AddCommand = (program: Command) => void;

/** Loaded when named, or all for the help: `serve` shall listen soon, and the code of `linux` is most of the program. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  demo: async () => (await import('./commands/demo.ts')).addDemoCommand,
  linux: async () => (await import('./commands/linux.ts')).addLinuxCommand,
  serve: async () => (await import('./commands/serve.ts')).addServeCommand,
  ctl: async () => (await import('./commands/ctl.ts')).addCtlCommand,
  replay: async () => (await import('./commands/replay.ts')).addReplayCommand,
  trace: async () => (await import('./commands/trace.ts')).addTraceCommand,
  faults: async () => (await import('./commands/faults.ts')).addFaultsCommand,
  soak: async () => (await import('./commands/soak.ts')).addSoakCommand,
  bench: async () => (await import('./commands/bench.ts')).addBenchCommand,
};

const BEGIN = `
Begin with:
  viommu demo            what an IOMMU does, told step by step; needs nothing
  viommu replay --web    a recorded boot of Linux in a page; needs nothing
  viommu linux           a stock Linux guest under a stock QEMU, both downloaded
  viommu COMMAND --help  options, and examples of what one types`;

/**
 * @param args what follows the name of the program
 * @param writeError takes the line that says what went wrong
 * @returns the exit code; undefined when a command has set that of the process
 */
export async function runCommandLine(
  args: readonly string[],
  writeError: (text: string) => void,
): Promise<number | undefined> {
  const words = args.length > 0 ? args : ['demo'];
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
  const named = Object.keys(COMMANDS).filter((name) => name === words[0]);
  for (const name of named.length > 0 ? named : Object.keys(COMMANDS)) {
    const addCommand = await COMMANDS[name]!();
    addCommand(program);
  }
  if (named.length === 0) {
    (await import('./commands/complete.ts')).addCompleteCommand(program);
    program.addHelpText('after', BEGIN);
  }
  addExamples(program);
  try {
    await program.parseAsync(words, { from: 'user' });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    writeError(`viommu: ${messageOf(error)}\n`);
    if (error instanceof CommandError) return error.exitCode;
    if (process.env.VIOMMU_DEBUG && error instanceof Error) writeError(`${error.stack}\n`);
    return 1;
  }
}
