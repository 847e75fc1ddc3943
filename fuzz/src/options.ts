/** The command line. */
import { Argument, Command, InvalidArgumentError } from 'commander';

export interface FuzzOptions {
  /** A name of the table, or {@link ALL_TARGETS}. */
  readonly target: string;
  readonly seconds: number;
  readonly seed: number;
  /** A file, to carry out nothing but this. */
  readonly input: string | undefined;
}

export const ALL_TARGETS = 'all';
const DEFAULT_SECONDS = 60;
const SEED_MAX = 2 ** 32 - 1;

/**
 * @param args what follows the name of the program
 * @param targets the names of the table
 * @param writeError takes the line that says what is wrong
 * @throws CommanderError when there is nothing to run, with the exit code
 */
export function parseOptions(
  args: readonly string[],
  targets: readonly string[],
  writeError: (text: string) => void,
): FuzzOptions {
  const target = new Argument('<target>', `what to fuzz, or ${ALL_TARGETS}, one after the other`);
  const command = new Command('fuzz')
    .description(
      'Runs a built package on made-up inputs, and checks what must hold for all of them.',
    )
    .addArgument(target.choices([...targets, ALL_TARGETS]))
    .option(
      '--seconds <number>',
      'how long, for all targets together',
      parseSeconds,
      DEFAULT_SECONDS,
    )
    .option(
      '--seed <number>',
      'what the inputs are made from; from the clock by default',
      parseSeed,
    )
    .option('--input <file>', 'carry out this one input, as a finding is saved')
    .exitOverride()
    .configureOutput({
      writeErr: writeError,
      outputError: (text, write) => write(`fuzz: ${text.replace(/^error: /, '')}`),
    })
    .parse(args, { from: 'user' });
  const options = command.opts();
  const name = command.args[0]!;
  if (options.input !== undefined && name === ALL_TARGETS) {
    command.error('error: --input is for one target: name it');
  }
  return {
    target: name,
    seconds: options.seconds,
    seed: options.seed ?? Date.now() % SEED_MAX,
    input: options.input,
  };
}

function parseSeconds(value: string): number {
  if (!/^[1-9]\d{0,5}$/.test(value)) {
    throw new InvalidArgumentError('give a number from 1 to 999999');
  }
  return Number(value);
}

function parseSeed(value: string): number {
  if (!/^\d{1,10}$/.test(value) || Number(value) > SEED_MAX) {
    throw new InvalidArgumentError(`give a number from 0 to ${SEED_MAX}`);
  }
  return Number(value);
}
