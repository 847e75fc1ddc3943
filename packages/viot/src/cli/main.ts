#!/usr/bin/env node
/** The program `viot`. */
import { runCommandLine } from './command-line.ts';

// What is written to a closed pipe is told to whoever writes it, too.
process.stdout.on('error', () => {});
process.exitCode = await runCommandLine(process.argv.slice(2), process);
