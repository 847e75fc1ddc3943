/** Inputs in files: seeds in the repository, findings where the next command finds them. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Finding } from './engine/finding.ts';
import { formatHex, parseHex } from './engine/hex.ts';

const HOME = fileURLToPath(new URL('..', import.meta.url));
const EXTENSION = '.hex';
const NAME_LENGTH = 12;

/** @throws Error that names the file and says what is wrong with it */
export function readInput(file: string): Uint8Array {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${file} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  try {
    return parseHex(text);
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : error}`);
  }
}

/** The seeds of a target, by their names in rising order. */
export function readSeeds(target: string): Uint8Array[] {
  const folder = join(HOME, 'corpus', target);
  const names = readdirSync(folder).filter((name) => name.endsWith(EXTENSION));
  return names.sort().map((name) => readInput(join(folder, name)));
}

/** @returns the file, from the current folder */
export function saveFinding(target: string, { message, input }: Finding): string {
  const folder = join(HOME, 'findings', target);
  mkdirSync(folder, { recursive: true });
  const name = createHash('sha256').update(input).digest('hex').slice(0, NAME_LENGTH);
  const file = join(folder, `${name}${EXTENSION}`);
  writeFileSync(file, formatHex(input, message));
  return relative(process.cwd(), file);
}
