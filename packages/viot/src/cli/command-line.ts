/** The command line: parses it, runs one command, and turns errors into one line and an exit code. */
import { Command, CommanderError } from 'commander';
import { ViotError } from '../viot-error.ts';
import { CommandError } from './command-error.ts';
import { addDecodeCommand } from './commands/decode.ts';
import { addDtsCommand } from './commands/dts.ts';
import { addEncodeCommand } from './commands/encode.ts';
import { addLintCommand } from './commands/lint.ts';
import { printable } from './printable.ts';
import type { Streams } from './streams.ts';

/** Done. */
const OK = 0;
/** `lint` has found an error. */
const FOUND_ERRORS = 1;
/** It could not be done. */
const FAILED = 2;

const INPUTS = `FILE is a VIOT, a flattened device tree, or JSON as decode --json writes it; - is stdin.
The exit code is ${FOUND_ERRORS} when lint finds an error, ${FAILED} when something could not be done.`;

/**
 * @param args what follows the name of the program
 * @returns the exit code
 */
export async function runCommandLine(args: readonly string[], streams: Streams): Promise<number> {
  const program = new Command('viot')
    .description('Which IOMMU translates for which device: ACPI VIOT tables and device trees.')
    .addHelpText('after', `\n${INPUTS}`)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.stdout.write(text),
      writeErr: (text) => streams.stderr.write(text),
      outputError: (text, write) => {
        const [line = ''] = text.split('\n');
        write(`viot: ${line.replace(/^error: /, '')}; --help shows what there is\n`);
      },
    });
  let exitCode = OK;
  addDecodeCommand(program, streams);
  addEncodeCommand(program, streams);
  addDtsCommand(program, streams);
  addLintCommand(program, streams, () => {
    exitCode = FOUND_ERRORS;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return exitCodeOf(error, streams);
  }
}

function exitCodeOf(error: unknown, { stderr }: Streams): number {
  // commander has said what there is to say.
  if (error instanceof CommanderError) return error.exitCode === 0 ? OK : FAILED;
  // Whoever reads our output has enough of it.
  if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return OK;
  const isExpected = error instanceof CommandError || error instanceof ViotError;
  const message = error instanceof Error ? error.message : String(error);
  stderr.write(`viot: ${isExpected ? '' : 'unexpectedly, '}${printable(message)}\n`);
  return FAILED;
}
