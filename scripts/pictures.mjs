// `pnpm pictures`: writes into each package's README where it sits: who uses it, and what it stands on, by the packages' own manifests.
// With `--check` nothing is written, and what is not as it would be is named.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './set-up.mjs';

const SCOPE = '@viommu/';
const [BEGIN, END] = ['<!-- where it sits: pnpm pictures -->', '<!-- end -->'];
const WIDTH = 72;

const packages = readdirSync(join(root, 'packages'))
  .sort()
  .map((folder) => {
    const manifest = JSON.parse(
      readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'),
    );
    const dependencies = Object.keys(manifest.dependencies ?? {});
    const isOurs = (name) => name.startsWith(SCOPE);
    return {
      name: manifest.name,
      readme: join(root, 'packages', folder, 'README.md'),
      below: dependencies.filter(isOurs),
      outside: dependencies.filter((name) => !isOurs(name)),
    };
  });

/** Names in rows that are not too wide, each row after the first indented. */
function rows(names, indent) {
  const lines = [''];
  for (const name of names.map((one) => one.replace(SCOPE, ''))) {
    const line = lines.at(-1);
    if (line !== '' && indent.length + line.length + name.length + 3 > WIDTH) lines.push(name);
    else lines[lines.length - 1] = line === '' ? name : `${line}   ${name}`;
  }
  return lines.join(`\n${indent}`);
}

function pictureOf({ name, below, outside }) {
  const above = packages.filter((one) => one.below.includes(name)).map((one) => one.name);
  const indent = ' '.repeat(12);
  const border = '─'.repeat(name.length + 2);
  const lines = [
    `used by     ${rows([...above, 'your VMM'], indent)}`,
    `${indent}    │`,
    `${indent}┌───┴${border.slice(4)}┐`,
    `${indent}│ ${name} │`,
    `${indent}└───┬${border.slice(4)}┘`,
    `${indent}    │`,
    `stands on   ${below.length + outside.length === 0 ? 'nothing' : rows([...below, ...outside], indent)}`,
  ];
  return `${BEGIN}\n\n\`\`\`\n${lines.join('\n')}\n\`\`\`\n\n${END}`;
}

const isCheck = process.argv.includes('--check');
const stale = [];
for (const one of packages) {
  const text = readFileSync(one.readme, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) {
    stale.push(one.name);
    continue;
  }
  const drawn = text.slice(0, from) + pictureOf(one) + text.slice(to + END.length);
  if (drawn === text) continue;
  if (isCheck) stale.push(one.name);
  else writeFileSync(one.readme, drawn);
}
if (stale.length > 0) {
  process.stderr.write(
    `where they sit is not in the README of ${stale.join(', ')}: pnpm pictures\n`,
  );
  process.exitCode = 1;
}
