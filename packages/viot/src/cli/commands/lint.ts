/** `viot lint`: what Linux would do with a VIOT that was perhaps not meant that way. */
import type { Command } from 'commander';
import colors from 'picocolors';
import { hex } from '../../describe.ts';
import { signatureOf } from '../../table/acpi-header.ts';
import type { Finding } from '../../table/finding.ts';
import { VIOT_SIGNATURE } from '../../table/layout.ts';
import { lintViot } from '../../table/lint.ts';
import { CommandError } from '../command-error.ts';
import { printable } from '../printable.ts';
import { nameOf, readInput, type Streams, writeOutput } from '../streams.ts';
import { count, textTable } from '../text-table.ts';

/** @param onErrors called when a device would be left without its IOMMU */
export function addLintCommand(program: Command, streams: Streams, onErrors: () => void): void {
  program
    .command('lint')
    .description('say what Linux would do with a VIOT that was perhaps not meant that way')
    .argument('<file>', 'the bytes of a VIOT, - for stdin')
    .option('--json', 'as JSON')
    .action(async (file: string, { json }: { json?: boolean }) => {
      const bytes = await readInput(file, streams);
      if (signatureOf(bytes) !== VIOT_SIGNATURE) {
        throw new CommandError(`${nameOf(file)} is no VIOT; lint looks at nothing else`);
      }
      const { findings } = lintViot(bytes);
      const text = json ? `${JSON.stringify(findings, null, 2)}\n` : findingsText(findings);
      await writeOutput(text, undefined, streams);
      if (findings.some(({ severity }) => severity === 'error')) onErrors();
    });
}

function findingsText(findings: readonly Finding[]): string {
  const rows = findings.map(({ offset, severity, code, message }) => [
    hex(offset),
    severity,
    code,
    printable(message),
  ]);
  const counts = (['error', 'warning', 'note'] as const).map((severity) => {
    const found = findings.filter((finding) => finding.severity === severity);
    const text = count(found, severity);
    return found.length > 0 && severity === 'error' ? colors.red(text) : text;
  });
  return `${textTable(['offset', 'severity', 'code', 'what Linux does'], rows)}${counts.join(', ')}\n`;
}
