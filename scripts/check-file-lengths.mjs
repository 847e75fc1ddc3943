// Fails when a source file has grown past the length that one can read in a sitting.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const LONGEST = 300;

const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx', '*.css', '*.mjs'],
  {
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter((file) => file !== '' && !/\.(test|bench)\.ts$/.test(file));
const long = files
  .map((file) => ({ file, lines: readFileSync(file, 'utf8').split('\n').length - 1 }))
  .filter(({ lines }) => lines > LONGEST);
for (const { file, lines } of long) {
  process.stderr.write(`${file}: ${lines} lines; split it, ${LONGEST} is the longest\n`);
}
process.exit(long.length === 0 ? 0 : 1);
