/** `viot encode`: a VIOT from JSON, or from another description of the topology. */
import type { Command } from 'commander';
import { encodeViot } from '../../table/encode.ts';
import { writeViot } from '../../table/topology-table.ts';
import { readDocument } from '../read-document.ts';
import { type Streams, writeOutput } from '../streams.ts';

export function addEncodeCommand(program: Command, streams: Streams): void {
  program
    .command('encode')
    .description('write a VIOT: from JSON as decode --json writes it, a table or a topology')
    .argument('<file>', 'what to read, - for stdin')
    .option('-o, --output <file>', 'where to write the bytes; stdout when not given')
    .action(async (file: string, { output }: { output?: string }) => {
      const document = await readDocument(file, streams);
      const bytes =
        document.form === 'table' ? encodeViot(document.table) : writeViot(document.topology);
      await writeOutput(bytes, output, streams);
    });
}
