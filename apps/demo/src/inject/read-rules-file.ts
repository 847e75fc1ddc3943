/** Reads a file with rules of fault injection. */
import { readFileSync } from 'node:fs';
import { CommandError, messageOf } from '../command-error.ts';

/** @returns the rules as JSON has them. @throws {CommandError} */
export function readRulesFile(option: string, path: string): readonly unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new CommandError(`${option}: ${path}: ${messageOf(error)}`, { cause: error });
  }
  if (Array.isArray(value)) return value;
  throw new CommandError(`${option}: ${path} has to have a list of rules, [{"do": ...}, ...]`);
}
