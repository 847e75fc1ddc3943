// `pnpm tarballs`: packs every published package from two clean copies of the sources, in different folders, with different
// umasks and time zones, one after the other, and fails unless the tarballs have the same bytes.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fail, root } from './set-up.mjs';

const COPIES = [
  { folder: 'one', umask: '022', zone: 'UTC' },
  { folder: 'another/of-a-longer-name', umask: '077', zone: 'Asia/Tokyo' },
];

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  if (result.error) fail(`${command} could not be started: ${result.error.message}`);
  if (result.status !== 0) {
    process.stderr.write(`${result.stdout}${result.stderr}`);
    fail(`${[command, ...args].join(' ')} ended with ${result.status}`);
  }
  return result.stdout;
}

/** The files that are committed or could be, as they are now. */
function copySources(target) {
  const files = run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  });
  for (const file of files.split('\0')) {
    if (file === '' || !existsSync(join(root, file))) continue;
    mkdirSync(dirname(join(target, file)), { recursive: true });
    copyFileSync(join(root, file), join(target, file));
  }
}

/** @returns the SHA-256 of each tarball by its name */
function pack(parent, { folder, umask, zone }) {
  const copy = join(parent, folder);
  const tarballs = join(copy, '.tarballs');
  mkdirSync(tarballs);
  const steps = [
    'pnpm install --frozen-lockfile',
    "pnpm exec turbo run build --filter './packages/*' --force --cache-dir .turbo/cache",
    `pnpm -r --filter './packages/*' pack --pack-destination '${tarballs}'`,
  ];
  run('sh', ['-c', `umask ${umask} && ${steps.join(' && ')}`], {
    cwd: copy,
    env: { ...process.env, TZ: zone, TURBO_TELEMETRY_DISABLED: '1', CI: 'true' },
  });
  return new Map(
    readdirSync(tarballs)
      .sort()
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(tarballs, name)))
          .digest('hex'),
      ]),
  );
}

const published = readdirSync(join(root, 'packages')).length;
const parent = mkdtempSync(join(tmpdir(), 'viommu-tarballs-'));
try {
  // Both before the first is built: the sources may be worked on meanwhile.
  for (const { folder } of COPIES) copySources(join(parent, folder));
  const [one, other] = COPIES.map((copy) => pack(parent, copy));
  const differing = [...one.keys()].filter((name) => one.get(name) !== other.get(name));
  for (const name of differing) process.stderr.write(`${name}: other bytes from the second copy\n`);
  if (one.size !== published || other.size !== published) {
    process.stderr.write(`${one.size} and ${other.size} tarballs of ${published} packages\n`);
    process.exitCode = 1;
  }
  if (differing.length > 0) process.exitCode = 1;
  for (const [name, hash] of one) process.stdout.write(`${hash}  ${name}\n`);
} finally {
  rmSync(parent, { recursive: true, force: true });
}
