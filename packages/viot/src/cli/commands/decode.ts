/** `viot decode`: what a table or a device tree says. */
import type { Command } from 'commander';
import { hex } from '../../describe.ts';
import { documentText } from '../document-text.ts';
import { printable } from '../printable.ts';
import { readDocument } from '../read-document.ts';
import { nameOf, type Streams, writeOutput } from '../streams.ts';

export function addDecodeCommand(program: Command, streams: Streams): void {
  program
    .command('decode')
    .description('show what a VIOT, or another description of a topology, says')
    .argument('<file>', 'what to read, - for stdin')
    .option('--json', 'as JSON; of a VIOT with all that encode needs to write the same bytes')
    .action(async (file: string, { json }: { json?: boolean }) => {
      const document = await readDocument(file, streams);
      const value = document.form === 'table' ? document.table : document.topology;
      const text = json ? `${JSON.stringify(value, null, 2)}\n` : documentText(document);
      await writeOutput(text, undefined, streams);
      if (json && document.form === 'topology') {
        for (const { offset, reason } of document.passedOver) {
          streams.stderr.write(
            `viot: ${nameOf(file)}: left out at ${hex(offset)}: ${printable(reason)}\n`,
          );
        }
      }
    });
}
