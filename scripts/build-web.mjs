// `pnpm build:web`: makes the page with the Linux guest that boots in it: a folder of static files, for any server.
import { spawn } from 'node:child_process';
import { build, install, root } from './set-up.mjs';

install();
build();

const web = `${root}apps/web`;
const child = spawn(
  process.execPath,
  [
    '--enable-source-maps',
    `${root}tooling/v86-guest/dist/main.js`,
    ...['--page', `${web}/dist/guest`, '--tree', `${web}/guest`],
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
);
// The terminal sends its signals to the whole group; others are passed on, and the child decides when to end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (!process.stdin.isTTY) child.kill(signal);
  });
}
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
