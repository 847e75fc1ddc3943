/** `viommu demo`: the whole system in this process, told step by step; no QEMU, no kernel. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Argument, type Command } from 'commander';
import pc from 'picocolors';
import { tellStory } from '../demo/demo-story.ts';
import { makeDiskImage } from '../linux/disk-image.ts';
import { tellPassThrough } from '../passthrough/passthrough-story.ts';

const DISK_BYTES = 256 * 1024;

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('the IOMMU and devices behind it, in this process, told step by step')
    .addArgument(
      new Argument('[story]', 'a disk behind the IOMMU, or a device of the host passed through')
        .choices(['disk', 'passthrough'])
        .default('disk'),
    )
    .action((story: string) => (story === 'disk' ? diskStory() : passThroughStory()));
}

function passThroughStory(): void {
  const summary = tellPassThrough((text) => process.stdout.write(text));
  const { virtualAddress, guestPhysical, hostPhysical } = summary;
  const hex = (address: number): string => `0x${address.toString(16)}`;
  process.stdout.write(
    `\n${pc.bold('All of it held.')} The buffer's first page: VA and IOVA ${hex(virtualAddress)}, guest-physical ${hex(guestPhysical[0]!)}, host-physical ${hex(hostPhysical[0]!)}.\n` +
      `${summary.bytesCopied} bytes copied, ${summary.interrupts} interrupts, ${summary.faults} faults that were meant to be.\n` +
      `\nNext: ${pc.bold('npm start -- linux --scenario passthrough')} does it with a stock Linux guest's VFIO.\n`,
  );
}

function diskStory(): void {
  const folder = mkdtempSync(join(tmpdir(), 'viommu-demo-'));
  try {
    const path = join(folder, 'disk.img');
    makeDiskImage(path, DISK_BYTES);
    const summary = tellStory(path, (text) => process.stdout.write(text));
    process.stdout.write(
      `\n${pc.bold('All of it held.')} ${summary.requests} requests, ${summary.translatedBytes} bytes translated, ${summary.faults} faults, ${summary.interrupts} interrupts.\n` +
        `\nNext: ${pc.bold('npm start -- linux')} boots a stock Linux kernel under QEMU against the same devices,\n` +
        `      ${pc.bold('npm start -- serve --help')} serves them to a QEMU of your own.\n`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
