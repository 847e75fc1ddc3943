// Set-up shared by `npm start`, `npm test` and `pnpm check`: the pinned pnpm, the dependencies and the build.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
const stampFile = `${root}/node_modules/.viommu-set-up`;

/** Ends the program with one line. */
export function fail(message, status = 1) {
  process.stderr.write(`viommu: ${message}\n`);
  process.exit(status);
}

const QUIET = { TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' };
let environment;

/**
 * What programs of this repository run in: its own programs and the pinned pnpm are on the PATH. npm fetches pnpm, so that Node.js and
 * npm are all a machine needs; it is asked once, since it takes longer than most of what is then run.
 */
export function pnpmEnvironment() {
  environment ??= { ...process.env, ...QUIET, PATH: pathWithPnpm() };
  return environment;
}

function pathWithPnpm() {
  const { status, stdout, error } = spawnSync(
    'npm',
    [
      'exec',
      '--yes',
      '--loglevel=error',
      `--package=${manifest.packageManager}`,
      '--',
      'node',
      '-p',
      'process.env.PATH',
    ],
    { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (error) fail(`npm could not be started: ${error.message}`);
  if (status !== 0) fail('pnpm could not be fetched; is the npm registry reachable?');
  return `${root}node_modules/.bin${delimiter}${stdout.trim()}`;
}

/** Runs the pinned pnpm, without a word unless it fails. */
function pnpm(args) {
  const result = spawnSync('pnpm', args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: pnpmEnvironment(),
  });
  if (result.error) fail(`pnpm could not be started: ${result.error.message}`);
  if (result.status !== 0) process.stderr.write(`${result.stdout}${result.stderr}`);
  return result.status ?? 1;
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Node.js ${process.versions.node} is too old; install 20.19 or newer`);
  }
}

/** Installs the dependencies unless the lockfile is the one that was installed last. */
export function install() {
  requireNode();
  const lock = createHash('sha256')
    .update(readFileSync(`${root}/pnpm-lock.yaml`))
    .digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === lock) return;
  process.stderr.write('viommu: installing the dependencies (once)\n');
  if (pnpm(['install', '--frozen-lockfile']) !== 0) {
    fail('the dependencies could not be installed; is the npm registry reachable?');
  }
  writeFileSync(stampFile, lock);
}

/** Builds every package; what did not change comes from turbo's cache. */
export function build() {
  if (pnpm(['exec', 'turbo', 'run', 'build', '--output-logs=errors-only']) !== 0) {
    fail('the build failed; its output is above');
  }
}
