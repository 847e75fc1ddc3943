// `pnpm reference`: the API reference of all packages, from their docstrings, as a folder of static pages (docs/reference, which git ignores).
// A link in a docstring that leads nowhere fails it.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Application } from 'typedoc';
import { root } from './set-up.mjs';

const OUT = join(root, 'docs/reference');
const SOURCE = '@viommu/source';

/** The files that packages are entered by, and the names under which one imports them. */
const names = new Map();
for (const folder of readdirSync(join(root, 'packages')).sort()) {
  const path = join(root, 'packages', folder);
  const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  for (const [entry, conditions] of Object.entries(manifest.exports)) {
    const source = conditions[SOURCE];
    if (source !== undefined) names.set(join(path, source), join(manifest.name, entry));
  }
}

const application = await Application.bootstrap({
  name: 'viommu',
  entryPoints: [...names.keys()],
  tsconfig: join(root, 'tooling/tsconfig.reference.json'),
  readme: join(root, 'docs/choose-your-packages.md'),
  excludeExternals: true,
  excludePrivate: true,
  disableSources: true,
  skipErrorChecking: true,
  githubPages: false,
  hideGenerator: true,
  includeVersion: false,
  sort: ['source-order'],
  // Types that only appear inside others are explained there.
  validation: { notExported: false, invalidLink: true, notDocumented: false },
  treatValidationWarningsAsErrors: true,
});
const project = await application.convert();
if (project === undefined) process.exit(1);
for (const module of project.children ?? []) {
  module.name = names.get(project.getSymbolIdFromReflection(module)?.fileName) ?? module.name;
}
application.validate(project);
if (application.logger.hasErrors() || application.logger.hasWarnings()) process.exit(1);
await application.generateDocs(project, OUT);
process.stdout.write(`${names.size} entry points: ${relative(root, join(OUT, 'index.html'))}\n`);
