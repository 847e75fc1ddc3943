/** `viommu complete SHELL`: prints what has a shell complete commands, options and their choices. */
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';

/** @param program with all other commands */
export function addCompleteCommand(program: Command): void {
  tab(program);
  program.commands
    .find((command) => command.name() === 'complete')!
    .description(
      'print a script for your shell that completes all this: zsh, bash, fish, powershell',
    );
}
