// `pnpm tarballs`: packs every published package from two clean copies of the sources, in different folders, with different
// umasks and time zones, one after the other, and fails unless the tarballs have the same bytes. With `--built` nothing is built:
// it packs what is built here, and a copy of that, in some seconds; that builds differ is then not seen.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fail, root } from './set-up.mjs';

const COPIES = [
  { folder: 'one', umask: '022', zone: 'UTC' },
  { folder: 'another/of-a-longer-name', umask: '077', zone: 'Asia/Tokyo' },
];

const packages = readdirSync(join(root, 'packages'));

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

const PACK = "pnpm -r --filter './packages/*' pack --pack-destination";
const BUILD = [
  'pnpm install --frozen-lockfile',
  "pnpm exec turbo run build --filter './packages/*' --force --cache-dir .turbo/cache",
];

/** What was built here, in another folder, with other modes and times; the dependencies are those of here. */
function copyBuilt(target, umask) {
  const before = process.umask(Number.parseInt(umask, 8));
  copySources(target);
  symlinkSync(join(root, 'node_modules'), join(target, 'node_modules'));
  for (const name of packages) {
    const [from, to] = [root, target].map((folder) => join(folder, 'packages', name));
    symlinkSync(join(from, 'node_modules'), join(to, 'node_modules'));
    cpSync(join(from, 'dist'), join(to, 'dist'), { recursive: true });
  }
  process.umask(before);
}

/**
 * @param steps what is run first
 * @returns the SHA-256 of each tarball by its name
 */
function pack(folder, tarballs, { umask, zone }, steps) {
  mkdirSync(tarballs);
  const commands = [`umask ${umask}`, ...steps, `${PACK} '${tarballs}'`];
  run('sh', ['-c', commands.join(' && ')], {
    cwd: folder,
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

/** The same as it is here, and copied. */
function packBuilt(parent) {
  const copy = join(parent, COPIES[1].folder);
  copyBuilt(copy, COPIES[1].umask);
  return [
    pack(root, join(parent, 'here'), COPIES[0], []),
    pack(copy, join(parent, 'there'), COPIES[1], []),
  ];
}

/** Both copied before the first is built: the sources may be worked on meanwhile. */
function packFromSources(parent) {
  for (const { folder } of COPIES) copySources(join(parent, folder));
  return COPIES.map((copy) => {
    const folder = join(parent, copy.folder);
    return pack(folder, join(folder, '.tarballs'), copy, BUILD);
  });
}

const parent = mkdtempSync(join(tmpdir(), 'viommu-tarballs-'));
try {
  const built = process.argv.includes('--built');
  const [one, other] = (built ? packBuilt : packFromSources)(parent);
  const differing = [...one.keys()].filter((name) => one.get(name) !== other.get(name));
  for (const name of differing) process.stderr.write(`${name}: other bytes from the second copy\n`);
  if (one.size !== packages.length || other.size !== packages.length) {
    process.stderr.write(`${one.size} and ${other.size} tarballs of ${packages.length} packages\n`);
    process.exitCode = 1;
  }
  if (differing.length > 0) process.exitCode = 1;
  if (!built) for (const [name, hash] of one) process.stdout.write(`${hash}  ${name}\n`);
} finally {
  rmSync(parent, { recursive: true, force: true });
}
