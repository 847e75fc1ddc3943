#!/usr/bin/env node
/** The command `viommu`: parses the command line, runs one command, and turns errors into one line and an exit code. */
import { Command, CommanderError } from 'commander';
import { CommandError, messageOf } from './command-error.ts';
import { addBenchCommand } from './commands/bench.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addLinuxCommand } from './commands/linux.ts';
import { addServeCommand } from './commands/serve.ts';

const program = new Command('viommu')
  .description('A virtio-iommu that a stock Linux guest drives, in TypeScript.')
  .helpCommand(false)
  .showSuggestionAfterError(true)
  .exitOverride();
addDemoCommand(program);
addLinuxCommand(program);
addServeCommand(program);
addBenchCommand(program);

try {
  await program.parseAsync(process.argv.length > 2 ? process.argv : [...process.argv, 'demo']);
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode;
  } else {
    process.stderr.write(`viommu: ${messageOf(error)}\n`);
    if (!(error instanceof CommandError) && process.env.VIOMMU_DEBUG) {
      process.stderr.write(`${error instanceof Error ? error.stack : ''}\n`);
    }
    process.exitCode = error instanceof CommandError ? error.exitCode : 1;
  }
}
