// Fails when a published package would not do for its users: publint looks at its manifest, and `arethetypeswrong` resolves every entry as
// TypeScript does for ESM and for bundlers. All are packed once, as they are published, and looked at in this process.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { fail, root } from './set-up.mjs';

/** How nobody resolves a package that is ESM alone. */
const OTHER_RESOLUTIONS = ['node10', 'node16-cjs'];

function pack(folder) {
  const args = ['-r', '--filter', './packages/*', 'pack', '--pack-destination', folder];
  const { status, stdout, stderr } = spawnSync('pnpm', args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) fail(`the packages cannot be packed\n${stdout ?? ''}${stderr ?? ''}`);
  return readdirSync(folder).map((name) => join(folder, name));
}

/** What publint says, warnings and suggestions too. */
async function lint(tarball) {
  const { messages, pkg } = await publint({ pack: { tarball: tarball.buffer }, strict: true });
  return messages.map((message) => `${message.type}: ${formatMessage(message, pkg)}`);
}

/** What is wrong with the types, and that there are some. */
async function resolveTypes(tarball) {
  const analysis = await checkPackage(createPackageFromTarballData(tarball));
  if (!analysis.types) return ['it has no types'];
  return analysis.problems
    .filter(({ resolutionKind }) => !OTHER_RESOLUTIONS.includes(resolutionKind))
    .map(({ trace: _, ...problem }) => JSON.stringify(problem));
}

const folder = mkdtempSync(join(tmpdir(), 'viommu-packages-'));
try {
  const tarballs = pack(folder);
  const expected = readdirSync(join(root, 'packages')).length;
  if (tarballs.length !== expected) fail(`${tarballs.length} tarballs of ${expected} packages`);
  for (const file of tarballs) {
    const tarball = new Uint8Array(readFileSync(file));
    for (const problem of [...(await lint(tarball)), ...(await resolveTypes(tarball))]) {
      process.stderr.write(`${basename(file)}: ${problem}\n`);
      process.exitCode = 1;
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
