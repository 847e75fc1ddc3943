/** `viommu faults`: kills guests and servers at random moments, and says whether anything was left behind or lost. */
import { type Command, InvalidArgumentError } from 'commander';
import { runFaults } from '../endurance/faults.ts';
import { descriptorsText } from '../endurance/process-use.ts';
import { LARGEST_SEED } from '../endurance/seeded-moments.ts';
import { prepareGuestParts } from '../guest/guest-parts.ts';
import { addOwnPartsOptions, type OwnParts, withProgress } from './guest-command.ts';

interface FaultsOptions extends OwnParts {
  readonly runs: number;
  readonly servers?: number;
  readonly seed?: number;
}

/** A server is killed for so many guests that are. */
const GUESTS_PER_SERVER = 20;

export function addFaultsCommand(program: Command): void {
  const command = program
    .command('faults')
    .description('kill guests and servers at random moments, and look at what is left')
    .option('--runs <count>', 'guests to kill', parseCount, 200)
    .option('--servers <count>', 'servers to kill; one for 20 guests by default', parseCount)
    .option('--seed <number>', 'the same moments again; chosen at random by default', parseSeed);
  addOwnPartsOptions(command).action(faults);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1) throw new InvalidArgumentError('It must be 1 or more.');
  return count;
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || seed > LARGEST_SEED)
    throw new InvalidArgumentError(`It must be a number from 0 to ${LARGEST_SEED}.`);
  return seed;
}

function randomSeed(): number {
  return Math.floor(Math.random() * (LARGEST_SEED + 1));
}

async function faults({
  runs,
  servers,
  seed = randomSeed(),
  ...own
}: FaultsOptions): Promise<void> {
  await withProgress(async ({ signal, step, stop }) => {
    const parts = await prepareGuestParts({ ...own, signal, onProgress: step });
    step(`seed ${seed}`);
    const result = await runFaults({
      parts,
      runs,
      servers: servers ?? Math.ceil(runs / GUESTS_PER_SERVER),
      seed,
      signal,
      onProgress: step,
    });
    stop();
    const { guests, complaints } = result;
    const phases = Object.entries(guests.phases).map(([phase, count]) => `${count} in ${phase}`);
    const flushed = result.servers.reduce((sum, each) => sum + each.flushed, 0);
    const late = result.servers.reduce((sum, each) => sum + each.late, 0);
    process.stdout.write(
      `the server before and after: ${descriptorsText(guests.after)}; ${guests.before.mappings} and ${guests.after.mappings} mappings; ${complaints.length} lines on its stderr
${result.servers.length} servers killed: ${flushed} blocks were flushed (${late} told after the end), all of them are on the disk
${guests.runs} guests killed (${phases.join(', ')}): nothing left behind, every next client served; seed ${seed}
`,
    );
  });
}
