/** chooseGuest: gets the parts of the guest that `viommu linux` was asked for, under QEMU or in v86. */

import { V86_VERSION } from '@viommu/v86';
import { GuestError, prepareV86Guest } from '@viommu/v86-guest';
import { CommandError } from '../command-error.ts';
import { prepareGuestParts, prepareGuestPrograms } from '../guest/guest-parts.ts';
import type { ChosenGuest } from '../linux/guest-choice.ts';
import { createLinuxMachine } from '../linux/linux-machine.ts';
import { ranInQemu } from '../linux/ran-in-qemu.ts';
import type { Scenario } from '../linux/scenarios/scenario.ts';
import { createV86Machine } from '../v86/v86-machine.ts';
import type { GuestChoice, OwnParts, Progress } from './guest-command.ts';

export interface GuestOptions extends OwnParts, GuestChoice {
  readonly vmm: string;
}

/** What v86 has its own of, by the names of options. */
const OF_QEMU = [...['linux', 'pages', 'qemu', 'kernel', 'modules', 'busybox', 'dtc']] as const;

/** @throws {CommandError} when there is no such guest */
export function chooseGuest(
  options: GuestOptions,
  scenario: Scenario,
  progress: Progress,
): Promise<ChosenGuest> {
  return options.vmm === 'v86'
    ? v86Guest(options, scenario, progress)
    : qemuGuest(options, scenario, progress);
}

async function qemuGuest(
  options: GuestOptions,
  scenario: Scenario,
  { signal, step }: Progress,
): Promise<ChosenGuest> {
  const parts = await prepareGuestParts({
    ...options,
    ...scenario.parts,
    architecture: options.arch ?? 'x86_64',
    signal,
    onProgress: step,
  });
  return {
    ranIn: ranInQemu(parts),
    createMachine: (machine) => createLinuxMachine({ ...machine, parts }),
  };
}

async function v86Guest(
  options: GuestOptions,
  { parts: needed }: Scenario,
  { signal, step }: Progress,
): Promise<ChosenGuest> {
  const foreign = OF_QEMU.find((option) => options[option] !== undefined);
  if (foreign !== undefined || options.arch === 'arm64') {
    throw new CommandError(
      `--vmm v86 has a kernel of its own, for i386: leave out --${foreign ?? 'arch'}`,
    );
  }
  try {
    const guest = await prepareV86Guest({ signal, onProgress: step });
    const programs = await prepareGuestPrograms({
      ...options,
      ...needed,
      architecture: 'i386',
      signal,
      onProgress: step,
    });
    const parts = { ...guest, ...programs };
    const { kernelRelease } = parts;
    return {
      ranIn: { vmm: 'v86', version: V86_VERSION, kernelRelease, architecture: 'i386' },
      createMachine: (machine) => createV86Machine({ ...machine, parts }),
    };
  } catch (error) {
    if (error instanceof GuestError) throw new CommandError(error.message, { cause: error });
    throw error;
  }
}
