#!/usr/bin/env node
/** The program `viommu`. */
import { runCommandLine } from './command-line.ts';

// Whoever reads the output may leave early, as `head` does: what is under way is brought to its end all the same.
process.stdout.on('error', () => {});
const exitCode = await runCommandLine(process.argv.slice(2), (text) => process.stderr.write(text));
if (exitCode !== undefined) process.exitCode = exitCode;
