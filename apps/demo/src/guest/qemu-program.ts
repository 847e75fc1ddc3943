/** A QEMU that can be started, and the check that it is one that viommu can work with. */

import { type Program, runProgram } from '@viommu/debian-archive';
import { CommandError, messageOf } from '../command-error.ts';
import { ARCHITECTURES, type Architecture } from './architecture.ts';

/** How to start a QEMU. */
export interface QemuProgram extends Program {
  readonly environment: Readonly<Record<string, string>>;
  /** Such as `11.1.3`. */
  readonly version: string;
}

const OLDEST = [10, 1] as const;

/**
 * Asks a QEMU for its version and its devices.
 *
 * @throws {CommandError} when it does not run, is older than 10.1, emulates another architecture, or has no vfio-user-pci
 */
export async function checkQemu(
  start: Omit<QemuProgram, 'version'>,
  name: string,
  architecture: Architecture = 'x86_64',
): Promise<QemuProgram> {
  const ask = async (...args: string[]): Promise<string> => {
    try {
      return await runProgram(start.command, [...start.arguments, ...args], {
        environment: start.environment,
      });
    } catch (error) {
      throw new CommandError(`${name} does not run: ${messageOf(error)}`, { cause: error });
    }
  };
  const version = qemuVersion(await ask('--version'));
  if (version === undefined) throw new CommandError(`${name} does not say that it is QEMU`);
  if (!isVersion(version, ...OLDEST)) {
    throw new CommandError(
      `${name} is QEMU ${version}; ${OLDEST.join('.')} or newer is needed, for its vfio-user-pci`,
    );
  }
  const { qemu, qemuMachine } = ARCHITECTURES[architecture];
  if (!qemuMachine.test(await ask('-machine', 'help'))) {
    throw new CommandError(`${name} emulates no ${architecture} machine; it takes a ${qemu}`);
  }
  // Arm's has no machine that it takes for granted.
  if (!(await ask('-machine', 'none', '-device', 'help')).includes('"vfio-user-pci"')) {
    throw new CommandError(`${name} was built without vfio-user-pci; it takes a ${qemu} for Linux`);
  }
  return { ...start, version };
}

/** The version in what `--version` prints. */
export function qemuVersion(text: string): string | undefined {
  return /^QEMU emulator version (\d+\.\d+(?:\.\d+)?)/.exec(text)?.[1];
}

/** Whether a version is `major.minor` or newer. */
export function isVersion(version: string, major: number, minor: number): boolean {
  const [itsMajor = 0, itsMinor = 0] = version.split('.').map(Number);
  return itsMajor > major || (itsMajor === major && itsMinor >= minor);
}
