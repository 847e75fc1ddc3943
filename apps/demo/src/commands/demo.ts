/** `viommu demo`: the whole system in this process, told step by step; no QEMU, no kernel. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type InProcessTransport,
  MMIO_TRANSPORT,
  PCI_TRANSPORT,
  playDisk,
  playPassThrough,
} from '@viommu/scenarios';
import { Argument, type Command, Option } from 'commander';
import pc from 'picocolors';
import { fileDiskParts } from '../demo/file-disk-parts.ts';
import { Narrator } from '../demo/narrator.ts';
import { makeDiskImage } from '../linux/disk-image.ts';
import { replayFile } from '../trace/replay-file.ts';
import { replayLines } from '../trace/replay-text.ts';
import { shippedTrace } from '../trace/shipped-traces.ts';

const DISK_BYTES = 256 * 1024;
const BOOT = 'x86_64-pci';

interface DemoOptions {
  readonly transport: string;
  readonly web?: boolean;
}

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('the IOMMU and devices behind it, in this process, told step by step')
    .addArgument(
      new Argument('[story]', 'a disk behind the IOMMU, or a device of the host passed through')
        .choices(['disk', 'passthrough'])
        .default('disk'),
    )
    .addOption(
      new Option('--transport <bus>', 'how the drivers reach the virtio devices')
        .choices(['pci', 'mmio'])
        .default('pci'),
    )
    .addOption(
      new Option(
        '--web',
        'show it in a page, which plays it itself and is there until this program is interrupted',
      ).conflicts('transport'),
    )
    .action(async (story: string, { transport: bus, web }: DemoOptions) => {
      if (web) {
        const { showPage } = await import('../web/show-page.ts');
        await showPage({ first: story === 'passthrough' ? 'scenario-1' : 'scenario-2' });
        return;
      }
      const transport = bus === 'mmio' ? MMIO_TRANSPORT : PCI_TRANSPORT;
      if (story === 'passthrough') {
        passThroughStory(transport);
        return;
      }
      diskStory(transport);
      await bootStory();
    });
}

function passThroughStory(transport: InProcessTransport): void {
  const summary = playPassThrough(narrator(), transport);
  const { virtualAddress, guestPhysical, hostPhysical } = summary;
  const hex = (address: number): string => `0x${address.toString(16)}`;
  process.stdout.write(
    `\n${pc.bold('All of it held.')} The buffer's first page: VA and IOVA ${hex(virtualAddress)}, guest-physical ${hex(guestPhysical[0]!)}, host-physical ${hex(hostPhysical[0]!)}.\n` +
      `${summary.bytesCopied} bytes copied, ${summary.interrupts} interrupts, ${summary.faults} faults that were meant to be.\n` +
      `\nNext: ${pc.bold('npm start -- demo passthrough --web')} shows it in a page, each step of its figure,\n` +
      `      ${pc.bold('npm start -- linux --scenario passthrough')} does it with a stock Linux guest's VFIO.\n`,
  );
}

function narrator(): Narrator {
  return new Narrator((text) => process.stdout.write(text));
}

function diskStory(transport: InProcessTransport): void {
  const folder = mkdtempSync(join(tmpdir(), 'viommu-demo-'));
  try {
    const path = join(folder, 'disk.img');
    makeDiskImage(path, DISK_BYTES);
    const summary = playDisk(narrator(), fileDiskParts(path), transport);
    process.stdout.write(
      `\n${pc.bold('All of it held.')} ${summary.requests} requests, ${summary.translatedBytes} bytes translated, ${summary.faults} faults, ${summary.interrupts} interrupts.\n`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a real guest did with the same devices, once more. */
async function bootStory(): Promise<void> {
  const path = shippedTrace(BOOT);
  const result = await replayFile(path);
  process.stdout.write(
    `\n${pc.bold('And what a real kernel did with them')}, from a recording:\n\n${replayLines(result, false).join('\n')}\n` +
      `\nNext: ${pc.bold('npm start -- replay --web')} shows it in a page, as it happens,\n` +
      `      ${pc.bold(`npm start -- trace ${path} --requests`)} prints each of its requests,\n` +
      `      ${pc.bold('npm start -- linux')} boots a stock Linux kernel under QEMU against the same devices,\n` +
      `      ${pc.bold('npm start -- serve --help')} serves them to a QEMU of your own.\n`,
  );
  if (result.divergence !== undefined) process.exitCode = 1;
}
