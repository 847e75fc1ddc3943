/** The program `fuzz`. */
import { CommanderError } from 'commander';
import { runFuzz } from './fuzz.ts';
import { parseOptions } from './options.ts';
import { TARGETS } from './targets/targets.ts';

const writeError = (text: string) => process.stderr.write(text);

try {
  const options = parseOptions(process.argv.slice(2), Object.keys(TARGETS), writeError);
  const findings = await runFuzz(options, {
    print: (text) => process.stdout.write(`${text}\n`),
    progress: (text) => writeError(`${text}\n`),
  });
  if (findings > 0) process.exitCode = 1;
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else {
    writeError(`fuzz: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
