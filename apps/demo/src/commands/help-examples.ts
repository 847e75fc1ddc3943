/** addExamples: what one types, and what for, below the options of each command's help. */
import type { Command } from 'commander';

/** By command; what follows the name of the command, and what it is for. */
export const EXAMPLES: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  demo: [
    ['', 'a disk behind the IOMMU: what its driver asks, what the device may then reach'],
    [
      'passthrough',
      "a device passed through twice, with each address on the way to the host's memory",
    ],
    ['passthrough --web', 'the same in a page: the figure, each step as it happens'],
  ],
  linux: [
    ['', 'a stock guest writes and reads a disk behind the IOMMU'],
    ['--scenario passthrough', 'its user space drives a device with VFIO'],
    [
      '--scenario stray',
      'a device that accesses what it was not given, and what the guest says to it',
    ],
    ['--web', 'what it does to the IOMMU, in a page while it runs'],
    ['--arch arm64 --linux backports', 'another processor, a newer kernel'],
    ['--append iommu.strict=1', 'each buffer is unmapped at once, and not some time later'],
    ['--record boot.vtrace', 'all that the devices saw, for `viommu replay boot.vtrace --web`'],
    ['--vmm v86', 'without QEMU: an emulator in WebAssembly, and a kernel that is built for it'],
    ['--qemu Q --kernel K --busybox B', 'parts of your own: nothing is downloaded'],
  ],
  serve: [
    [
      '--socket-dir /tmp/v --iommu 00:04.0 --blk 00:05.0=disk.img',
      'prints what QEMU is to be given',
    ],
    ['--socket-dir /tmp/v --iommu 00:04.0 --rng 00:06.0 --record v.vtrace', 'and records it all'],
    ['--socket-dir /tmp/v --iommu 00:04.0 --rng 00:06.0 --web', 'and shows it in a page'],
  ],
  ctl: [
    ['--socket-dir /tmp/v list', 'who is in which domain'],
    ['--socket-dir /tmp/v translate 00:05.0 0xfffff000', 'where an access of the disk would go'],
    [
      '--socket-dir /tmp/v fault 00:05.0 0x1000 --write',
      'a stray write: what does the guest say to it?',
    ],
    [
      `--socket-dir /tmp/v inject '{"do":"hold","milliseconds":50,"request":"MAP","nth":3}'`,
      'the third MAP is answered late',
    ],
  ],
  replay: [
    ['boot.vtrace', 'does this version of the devices still answer as it did then?'],
    ['boot.vtrace --upto 5000', 'what was mapped just before operation 5000'],
    ['--web', 'recorded boots of Linux in a page, step by step'],
  ],
  trace: [
    ['boot.vtrace --requests', 'what the driver asked the IOMMU'],
    ['boot.vtrace --function blk --from 100 --upto 200', 'what came to pass at the disk'],
    ['boot.vtrace --json | jq .', 'for programs'],
  ],
  faults: [['--runs 20 --seed 7', 'fewer guests, at moments that can be had again']],
  soak: [['--minutes 5', 'a shorter run']],
  bench: [['--only disk --rounds 3', 'one part, quickly']],
};

const WIDEST = 72;

/** @param program with any of the commands */
export function addExamples(program: Command): void {
  for (const command of program.commands) {
    const examples = EXAMPLES[command.name()];
    if (examples === undefined) continue;
    const lines = examples.flatMap(([args, purpose]) => {
      const line = `  viommu ${`${command.name()} ${args}`.trim()}`;
      const isShort = line.length + purpose.length <= WIDEST;
      return isShort ? [`${line}   ${purpose}`] : [line, `      ${purpose}`];
    });
    command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
  }
}
