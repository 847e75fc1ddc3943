/** The architectures that a guest can have, and how others call them. */

export type Architecture = 'x86_64' | 'arm64';

interface ArchitectureNames {
  /** Debian's name. */
  readonly debian: 'amd64' | 'arm64';
  /** The program of QEMU that emulates it. */
  readonly qemu: string;
  /** The line of that program's `-machine help` about the machine that guests are booted on. */
  readonly qemuMachine: RegExp;
  /** `e_machine` in the header of its ELF files. */
  readonly elfMachine: number;
  /** Node.js' name, in `process.arch`. */
  readonly node: NodeJS.Architecture;
}

export const ARCHITECTURES: Readonly<Record<Architecture, ArchitectureNames>> = {
  x86_64: {
    debian: 'amd64',
    qemu: 'qemu-system-x86_64',
    qemuMachine: /^q35\s/m,
    elfMachine: 62,
    node: 'x64',
  },
  arm64: {
    debian: 'arm64',
    qemu: 'qemu-system-aarch64',
    // Other architectures have a machine of that name too.
    qemuMachine: /^virt\s.*\bARM\b/m,
    elfMachine: 183,
    node: 'arm64',
  },
};

/** Whether programs for an architecture run on this host. */
export function runsHere(architecture: Architecture): boolean {
  return ARCHITECTURES[architecture].node === process.arch;
}
