/** Which of Debian's parts a guest is made of, by their names in the cache. */
import { CommandError } from '../command-error.ts';
import { type Architecture, runsHere } from './architecture.ts';
import type { KernelSuite } from './guest-archive.ts';
import { COMPILED, type CompiledArchitecture, type PartName } from './part-recipes.ts';

/** What the kernel has its pages made of. */
type PageSize = '4k' | '16k';

/** Which programs of this host a guest needs, and which of them the user brings. */
export interface ProgramChoice {
  /** `x86_64` when not given. */
  readonly architecture?: Architecture | 'i386';
  /** The user's own C compiler, which can link statically for the guest. */
  readonly cc?: string;
  /** Whether a program of our own has to be compiled for the guest; false when not given. */
  readonly compiler?: boolean;
  /** The user's own passt. */
  readonly passt?: string;
  /** Whether the guest has a network; false when not given. */
  readonly network?: boolean;
}

/** What a guest is, and what of it the user brings. */
export interface PartChoice extends ProgramChoice {
  /** `x86_64` when not given. */
  readonly architecture?: Architecture;
  /** Debian's kernel: that of its stable release, or the newer one of its backports; `stable` when not given. */
  readonly linux?: KernelSuite;
  /** `4k` when not given; only arm64 has a choice. */
  readonly pages?: PageSize;
  /** The user's own QEMU for that architecture. */
  readonly qemu?: string;
  /** The user's own kernel, a vmlinuz. */
  readonly kernel?: string;
  /** The user's own busybox for the guest, linked statically. */
  readonly busybox?: string;
  /** The user's own device tree compiler, for an arm64 guest. */
  readonly dtc?: string;
}

/**
 * The parts that have to come from Debian's packages.
 *
 * @throws {CommandError} when there is no such guest
 */
export function neededParts(choice: PartChoice): PartName[] {
  const { architecture = 'x86_64' } = choice;
  const needed: PartName[] = [];
  if (choice.qemu === undefined) needed.push(qemuPart(architecture));
  if (choice.kernel === undefined) needed.push(linuxPart(choice));
  else if (choice.linux !== undefined || choice.pages !== undefined) {
    throw new CommandError("--linux and --pages choose a kernel of Debian's, and --kernel another");
  }
  if (choice.busybox === undefined) needed.push(busyboxPart(architecture));
  // One that runs here unpacks the modules.
  if (!runsHere(architecture)) needed.push('busybox');
  if (architecture === 'arm64' && choice.dtc === undefined) needed.push('table-tools');
  needed.push(...neededPrograms(choice));
  return needed;
}

/**
 * Those of them that are programs of this host.
 *
 * @throws {CommandError} when there is no such program
 */
export function neededPrograms({
  architecture = 'x86_64',
  compiler,
  cc,
  network,
  passt,
}: ProgramChoice): PartName[] {
  const needed: PartName[] = [];
  if (network && passt === undefined) needed.push('passt');
  if (compiler && cc === undefined) {
    if (!isCompiled(architecture)) {
      throw new CommandError(
        `the compiler that is fetched makes programs for ${Object.keys(COMPILED).join(' and ')}, and the guest is ${architecture}; pass --cc`,
      );
    }
    needed.push(compilerPart(architecture));
  }
  return needed;
}

/** Whether Debian's tcc makes programs for an architecture. */
export function isCompiled(
  architecture: Architecture | CompiledArchitecture,
): architecture is CompiledArchitecture {
  return architecture in COMPILED;
}

export function compilerPart(architecture: CompiledArchitecture): PartName {
  return architecture === 'x86_64' ? 'compiler' : `compiler-${architecture}`;
}

export function qemuPart(architecture: Architecture): PartName {
  return architecture === 'x86_64' ? 'qemu' : `qemu-${architecture}`;
}

export function busyboxPart(architecture: Architecture): PartName {
  return architecture === 'x86_64' ? 'busybox' : `busybox-${architecture}`;
}

/** @throws {CommandError} when Debian has no kernel with such pages */
export function linuxPart({
  architecture = 'x86_64',
  linux = 'stable',
  pages = '4k',
}: PartChoice): PartName {
  if (architecture === 'x86_64') {
    if (pages !== '4k') {
      throw new CommandError(
        `--pages ${pages}: an x86_64 guest has pages of 4k; pass --arch arm64`,
      );
    }
    return linux === 'stable' ? 'linux' : 'linux-backports';
  }
  const name = pages === '4k' ? 'linux-arm64' : 'linux-arm64-16k';
  return linux === 'stable' ? name : `${name}-backports`;
}
