// `pnpm bench ARGS`: sets up what is missing, builds, and runs the benchmarks of the built packages.
import { spawn } from 'node:child_process';
import { build, install, root } from './set-up.mjs';

install();
build();

const child = spawn(
  process.execPath,
  ['--enable-source-maps', `${root}/bench/dist/main.js`, ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
// The terminal sends its signals to the whole group; others are passed on, and the child decides when to end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (!process.stdin.isTTY) child.kill(signal);
  });
}
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
