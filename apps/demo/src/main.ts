#!/usr/bin/env node
/** The program `viommu`. */
import { runCommandLine } from './command-line.ts';

const exitCode = await runCommandLine(process.argv.slice(2), (text) => process.stderr.write(text));
if (exitCode !== undefined) process.exitCode = exitCode;
