/** The command line. */
import { Command, InvalidArgumentError } from 'commander';

export interface BenchOptions {
  readonly peers: boolean;
  /** Cost against size, instead of the rows. */
  readonly scaling: boolean;
  readonly json: boolean;
  readonly quick: boolean;
  readonly only: string | undefined;
  readonly batches: number;
  readonly write: boolean;
}

const BATCHES = 15;
const QUICK_BATCHES = 3;

/**
 * @param args what follows the name of the program
 * @param writeError takes the line that says what is wrong
 * @throws CommanderError when there is nothing to run, with the exit code
 */
export function parseOptions(
  args: readonly string[],
  writeError: (text: string) => void,
): BenchOptions {
  const command = new Command('bench')
    .description('Measures the built packages, beside peers in Rust and C where these are built.')
    .option('--peers', 'build the peers, and measure them by turns with ours', false)
    .option('--scaling', 'how costs grow with sizes, instead of the rows; has no peers', false)
    .option('--json', 'print one object as the last line, and no table', false)
    .option(
      '--quick',
      'a short run that shows that everything works; its times mean nothing',
      false,
    )
    .option('--only <text>', 'only the rows, or scans, whose names have this in them')
    .option(
      '--batches <number>',
      `batches of each side; ${BATCHES} by default, ${QUICK_BATCHES} with --quick`,
      parseBatches,
    )
    .option('--write', 'write bench/RESULTS.md, or SCALING.md, and bench/plots', false)
    .exitOverride()
    .configureOutput({
      writeErr: writeError,
      outputError: (text, write) => write(`bench: ${text.replace(/^error: /, '')}`),
    });
  const options = command.parse(args, { from: 'user' }).opts();
  if (options.write && (options.quick || options.only !== undefined)) {
    command.error('error: --write is for a full run: leave out --quick and --only');
  }
  if (options.scaling && options.peers) {
    command.error('error: --scaling measures ours alone: leave out --peers');
  }
  return {
    peers: options.peers,
    scaling: options.scaling,
    json: options.json,
    quick: options.quick,
    only: options.only,
    batches: options.batches ?? (options.quick ? QUICK_BATCHES : BATCHES),
    write: options.write,
  };
}

function parseBatches(value: string): number {
  if (!/^[1-9]\d{0,3}$/.test(value)) throw new InvalidArgumentError('give a number from 1 to 9999');
  return Number(value);
}
