/**
 * Records the traces that are in the repository anew: `record-boots FOLDER [NAME...]`, all of them without names. Each boots a
 * guest, and is kept only if the guest did all that it was asked to.
 */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../command-error.ts';
import { chooseGuest } from '../commands/choose-guest.ts';
import { type Progress, withProgress } from '../commands/guest-command.ts';
import { SCENARIOS } from '../linux/scenarios/scenarios.ts';
import { recordingOf } from './recording-of.ts';
import { SHIPPED_BOOTS, SHIPPED_DISK_BYTES, type ShippedBoot } from './shipped-boots.ts';

const TIMEOUT_SECONDS = 300;

const [folder, ...names] = process.argv.slice(2);
const unknown = names.find((name) => SHIPPED_BOOTS.every((boot) => boot.name !== name));
try {
  if (folder === undefined || unknown !== undefined) {
    const known = SHIPPED_BOOTS.map(({ name }) => name).join(' ');
    throw new Error(`call it with a folder and some of these names: ${known}`);
  }
  mkdirSync(folder, { recursive: true });
  await withProgress(async (progress) => {
    for (const boot of SHIPPED_BOOTS) {
      if (names.length === 0 || names.includes(boot.name)) await record(boot, folder, progress);
    }
  });
} catch (error) {
  process.stderr.write(`record-boots: ${messageOf(error)}\n`);
  process.exitCode = 1;
}

async function record(boot: ShippedBoot, folder: string, progress: Progress): Promise<void> {
  const { name, guest, steps } = boot;
  const path = join(folder, `${name}.vtrace`);
  const unfinished = `${path}.new`;
  const scenario = SCENARIOS.find((one) => one.name === boot.scenario)!;
  const options =
    guest === 'v86'
      ? { vmm: 'v86', arch: 'x86_64' as const }
      : { vmm: 'qemu', arch: guest.architecture, linux: guest.linux };
  const chosen = await chooseGuest(options, scenario, progress);
  progress.clear();
  const machine = await chosen.createMachine({
    ...scenario.machine,
    diskBytes: (scenario.machine.diskBytes ?? [0]).map(() => SHIPPED_DISK_BYTES),
    checkIsolation: false,
    record: recordingOf(unfinished, scenario.summary, chosen.ranIn),
  });
  try {
    const run = await machine.boot({ steps, timeoutSeconds: TIMEOUT_SECONDS });
    const { faults, requests } = await machine.stop();
    if (!run.report.done || faults !== scenario.faults || requests.map === 0) {
      throw new Error(`${name}: the guest did not do all of it: ${run.tail.slice(-5).join(' | ')}`);
    }
    renameSync(unfinished, path);
    process.stdout.write(`${path}: ${chosen.ranIn.kernelRelease}, ${requests.map} MAP requests\n`);
  } finally {
    await machine.close();
    rmSync(unfinished, { force: true });
  }
}
