// `pnpm fuzz ARGS`: sets up what is missing, builds, and runs the fuzzer on the built packages.
import { spawn } from 'node:child_process';
import { build, install, root } from './set-up.mjs';

install();
build();

const child = spawn(
  process.execPath,
  ['--enable-source-maps', `${root}/fuzz/dist/main.js`, ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
