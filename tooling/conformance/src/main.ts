/** The program `conformance`. */
import { Command, CommanderError } from 'commander';
import { checkCommand, extractCommand, writeCommand } from './commands.ts';
import { ConformanceError } from './conformance-error.ts';

const print = (line: string) => process.stdout.write(`${line}\n`);
const program = new Command('conformance')
  .description('Keeps account of the normative statements of the virtio standard.')
  .exitOverride();

program
  .command('extract')
  .description('write statements.json from a clone of the standard')
  .argument('<clone>', 'path of a clone of the standard, which may be bare')
  .option('--text', 'print the statements with their keys and text instead', false)
  .action((clone: string, options: { text: boolean }) => extractCommand(clone, options, print));

program
  .command('write')
  .description('write docs/spec-coverage.md from statements.json and rows/')
  .action(writeCommand);

program
  .command('check')
  .description('check that each statement has a row, and each row its file and its test')
  .argument('[report...]', "vitest's JSON reports; without them no test is looked for")
  .option('--require-all', 'fail when the tests of a row were skipped', false)
  .action((reports: string[], options: { requireAll: boolean }) =>
    checkCommand(reports, options, print),
  );

try {
  program.parse();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else if (error instanceof ConformanceError) {
    for (const line of error.message.split('\n')) process.stderr.write(`conformance: ${line}\n`);
    process.exitCode = 1;
  } else throw error;
}
