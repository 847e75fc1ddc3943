/** The program `bench`. */
import { CommanderError } from 'commander';
import { runBench } from './bench.ts';
import { messageOf } from './bench-error.ts';
import { parseOptions } from './options.ts';
import { runScaling } from './scaling/run-scaling.ts';

const writeError = (text: string) => process.stderr.write(text);

try {
  const options = parseOptions(process.argv.slice(2), writeError);
  await (options.scaling ? runScaling : runBench)(options, {
    print: (text) => process.stdout.write(`${text}\n`),
    progress: (text) => writeError(`${text}\n`),
  });
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else {
    for (const line of messageOf(error).split('\n')) writeError(`bench: ${line}\n`);
    process.exitCode = 1;
  }
}
