/** The files that the commands read and write, in this repository. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseRows } from './rows/parse-rows.ts';
import type { RowGroup } from './rows/row.ts';
import type { Standard } from './standard/statement.ts';
import { parseStatements } from './standard/statements-file.ts';

/** `dist/main.js` and `src/project.ts` are equally deep. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const HOME = join(ROOT, 'tooling/conformance');
const STATEMENTS = join(HOME, 'statements.json');
const DOCUMENT = join(ROOT, 'docs/spec-coverage.md');

export function readStatements(): Standard {
  return parseStatements(readFileSync(STATEMENTS, 'utf8'));
}

export function writeStatements(text: string): void {
  writeFileSync(STATEMENTS, text);
}

/** In the order of their names, which begin with a number. */
export function readRows(): RowGroup[] {
  const folder = join(HOME, 'rows');
  return readdirSync(folder)
    .sort()
    .map((name) => parseRows(`rows/${name}`, readFileSync(join(folder, name), 'utf8')));
}

export function readDocument(): string {
  return existsSync(DOCUMENT) ? readFileSync(DOCUMENT, 'utf8') : '';
}

export function writeDocumentFile(text: string): void {
  writeFileSync(DOCUMENT, text);
}

export function existsInProject(file: string): boolean {
  return existsSync(join(ROOT, file));
}
