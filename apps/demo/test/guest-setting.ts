/** What the guest tests share: the parts of a guest, or the reason why there are none, and a machine that is closed after. */
import { fileURLToPath } from 'node:url';
import type { GuestRun } from '../src/guest/follow-guest.ts';
import {
  type GuestParts,
  guestPartsAreCached,
  prepareGuestParts,
} from '../src/guest/guest-parts.ts';
import type { GuestBoot } from '../src/guest/guest-report.ts';
import {
  createLinuxMachine,
  type LinuxMachine,
  type LinuxMachineOptions,
} from '../src/linux/linux-machine.ts';
import type { ServerMessage, ServerStatistics } from '../src/server/server-messages.ts';

/** The server's thread cannot run from sources; `npm test` builds it first. */
const SERVER_THREAD = fileURLToPath(new URL('../dist/server-thread.js', import.meta.url));

/** In CI the tests must run, so what is missing is fetched; elsewhere the cache decides. */
export const parts =
  process.env.CI || guestPartsAreCached({ compiler: true }) ? await prepareGuestParts() : undefined;

export const hasGuest = parts !== undefined;
if (!hasGuest) {
  process.stderr.write(
    'guest tests are skipped: QEMU and a kernel are not in the cache; `npm start -- linux` fetches them, and so does CI=true\n',
  );
}

export interface Outcome {
  readonly runs: readonly GuestRun[];
  readonly messages: readonly ServerMessage[];
  readonly statistics: ServerStatistics;
}

/** Makes a machine, hands it over, and closes it; what the machine counted comes back with what it said. */
export async function withMachine(
  options: Omit<LinuxMachineOptions, 'parts' | 'threadFile' | 'onMessage'>,
  use: (machine: LinuxMachine) => Promise<readonly GuestRun[]>,
): Promise<Outcome> {
  const messages: ServerMessage[] = [];
  const guestParts = parts as GuestParts;
  const machine = await createLinuxMachine({
    ...options,
    parts: guestParts,
    threadFile: SERVER_THREAD,
    onMessage: (message) => messages.push(message),
  });
  let runs: readonly GuestRun[];
  try {
    runs = await use(machine);
  } catch (error) {
    await machine.close();
    throw error;
  }
  return { runs, messages, statistics: await machine.close() };
}

/** The n-th boot of a run that went well; shows the console's end when it did not. */
export function bootOf(run: GuestRun | undefined, index = 0): GuestBoot {
  if (run === undefined) throw new Error('the guest was not started');
  const boot = run.report.boots[index];
  if (run.problem !== undefined || boot === undefined) {
    throw new Error(`${run.problem ?? 'no such boot'}\n${run.tail.join('\n')}`);
  }
  return boot;
}
