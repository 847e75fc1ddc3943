// Runs one of the built programs in the foreground, in the place of the script that was called.
import { spawn } from 'node:child_process';
import { build, install, root } from './set-up.mjs';

/** Sets up what is missing, and ends with the program. @param file relative to the repository */
export function runBuilt(file, args, options = {}) {
  install();
  build();
  const child = spawn(process.execPath, ['--enable-source-maps', `${root}${file}`, ...args], {
    stdio: 'inherit',
    ...options,
  });
  // The terminal sends its signals to the whole group; others are passed on, and the child decides when to end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (!process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}
