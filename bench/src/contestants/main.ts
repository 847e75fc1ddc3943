/** Our contestant: the program of the protocol in `contest/contestant.ts`. */
import { createInterface } from 'node:readline';
import { BenchError, messageOf } from '../bench-error.ts';
import { Keys, type Work } from './work.ts';
import { WORKS } from './works.ts';

function setUp(name = '', words: readonly string[]): { work: Work; showSink: boolean } {
  const factory = WORKS.get(name);
  if (factory === undefined) {
    throw new BenchError(`unknown work "${name}": choose ${[...WORKS.keys()].join(', ')}`);
  }
  const keys = new Keys(words);
  const showSink = keys.choice('sink', ['no', 'yes']) === 'yes';
  const work = factory(keys);
  keys.finish();
  return { work, showSink };
}

async function main([name, ...words]: readonly string[]): Promise<void> {
  const { work, showSink } = setUp(name, words);
  process.stdout.write('ready\n');
  for await (const line of createInterface({ input: process.stdin })) {
    const [command, operations = ''] = line.split(' ');
    if (command !== 'run' || !/^[1-9]\d*$/.test(operations)) {
      throw new BenchError(`"${line}": write run OPERATIONS`);
    }
    process.stdout.write(`${work.run(Number(operations))}\n`);
  }
  if (showSink) process.stderr.write(`${work.sink}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(
    `${error instanceof BenchError ? messageOf(error) : (error as Error).stack}\n`,
  );
  process.exitCode = 2;
  process.stdin.destroy();
}
