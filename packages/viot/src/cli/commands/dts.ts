/** `viot dts`: a topology as device tree source. */
import type { Command } from 'commander';
import { writeDts, writeDtsFragment } from '../../device-tree/write-dts.ts';
import { CommandError } from '../command-error.ts';
import { topologyOf } from '../document.ts';
import { readDocument } from '../read-document.ts';
import { type Streams, writeOutput } from '../streams.ts';

interface DtsCommandOptions {
  readonly bridge: readonly { readonly segment: number; readonly node: string }[];
  readonly output?: string;
}

export function addDtsCommand(program: Command, streams: Streams): void {
  program
    .command('dts')
    .description('write device tree source (DTS): a tree of its own, or what to append to one')
    .argument('<file>', 'what to read, - for stdin')
    .option(
      '--bridge <node>',
      'for an existing tree: path or label of its host bridge; SEGMENT=NODE for other segments than 0',
      addBridge,
      [],
    )
    .option('-o, --output <file>', 'where to write the text; stdout when not given')
    .action(async (file: string, { bridge: hostBridges, output }: DtsCommandOptions) => {
      const topology = topologyOf(await readDocument(file, streams));
      const text =
        hostBridges.length === 0 ? writeDts(topology) : writeDtsFragment(topology, { hostBridges });
      await writeOutput(text, output, streams);
    });
}

function addBridge(
  value: string,
  bridges: DtsCommandOptions['bridge'],
): DtsCommandOptions['bridge'] {
  const [, digits, node] = /^(?:(\d+)=)?(.*)$/s.exec(value)!;
  const segment = Number(digits ?? 0);
  if (bridges.some((other) => other.segment === segment)) {
    throw new CommandError(`--bridge: segment ${segment} has two host bridges`);
  }
  return [...bridges, { segment, node: node! }];
}
