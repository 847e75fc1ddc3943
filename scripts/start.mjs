// `npm start -- ARGS`: sets up what is missing and runs the command `viommu` with ARGS, or `viommu demo` without any.
import { spawn } from 'node:child_process';
import { build, install, root } from './set-up.mjs';

install();
build();

const args = process.argv.slice(2);
const child = spawn(
  process.execPath,
  [
    '--enable-source-maps',
    `${root}/apps/demo/dist/main.js`,
    ...(args.length > 0 ? args : ['demo']),
  ],
  { stdio: 'inherit', cwd: process.env.INIT_CWD ?? process.cwd() },
);
// The terminal sends its signals to the whole group; others are passed on, and the child decides when to end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (!process.stdin.isTTY) child.kill(signal);
  });
}
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
