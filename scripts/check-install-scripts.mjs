// Fails when an installed package has a script that runs when it is installed, unless it is one of the two that are known, or when a
// published package has one. `strictDepBuilds` stops the installation at the first; this also sees what the settings allow.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './set-up.mjs';

/** koffi's script looks for its prebuilt library; that of esbuild, which only saves time at its start, is not run. */
const KNOWN = ['esbuild', 'koffi'];
const HOOKS = ['preinstall', 'install', 'postinstall'];
/** pnpm runs this one, too, of a package of the workspace. */
const OWN_HOOKS = [...HOOKS, 'prepare'];

function manifestOf(folder) {
  const file = join(folder, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** npm and pnpm run node-gyp for a package with a binding.gyp, without a script. */
function hooksOf(folder, hooks = HOOKS) {
  const scripts = manifestOf(folder)?.scripts ?? {};
  const found = hooks.filter((hook) => scripts[hook] !== undefined);
  return existsSync(join(folder, 'binding.gyp')) ? [...found, 'binding.gyp'] : found;
}

/** The folders of the packages in a node_modules, scopes opened; links lead to packages that are there anyway. */
function packagesIn(modules) {
  const folders = (path) =>
    readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders(modules).flatMap(({ name }) =>
    name.startsWith('@')
      ? folders(join(modules, name)).map((inner) => join(modules, name, inner.name))
      : [join(modules, name)],
  );
}

const store = join(root, 'node_modules/.pnpm');
const installed = readdirSync(store)
  .map((name) => join(store, name, 'node_modules'))
  .filter(existsSync)
  .flatMap(packagesIn);
const problems = [];
for (const folder of installed) {
  const { name, version } = manifestOf(folder) ?? {};
  const hooks = hooksOf(folder);
  if (name !== undefined && hooks.length > 0 && !KNOWN.includes(name))
    problems.push(`${name} ${version} runs when it is installed: ${hooks.join(', ')}`);
}
for (const name of readdirSync(join(root, 'packages'))) {
  const hooks = hooksOf(join(root, 'packages', name), OWN_HOOKS);
  if (hooks.length > 0)
    problems.push(`packages/${name} runs when it is installed: ${hooks.join(', ')}`);
}
if (installed.length === 0) problems.push('no package is installed');
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);
