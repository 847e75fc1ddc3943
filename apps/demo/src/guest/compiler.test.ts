import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compileProgram, fetchedCompiler, ownCompiler } from './compiler.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
  // Writes down its arguments where the program should be.
  writeFileSync(join(folder, 'cc'), '#!/bin/sh\n[ "$1" = -static ] && echo "$*" >"$4"\n');
  writeFileSync(join(folder, 'bad'), '#!/bin/sh\necho "x.c:3: error: no" >&2\nexit 1\n');
  for (const name of ['cc', 'bad']) chmodSync(join(folder, name), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

it('has a compiler of the user link statically', async () => {
  const output = join(folder, 'program');
  await compileProgram(ownCompiler(join(folder, 'cc')), 'x.c', output);
  expect(readFileSync(output, 'utf8')).toBe(`-static -O1 -o ${output} x.c\n`);
});

it('says what the compiler said', async () => {
  await expect(
    compileProgram(ownCompiler(join(folder, 'bad')), 'x.c', join(folder, 'program')),
  ).rejects.toThrow(/x\.c cannot be compiled for the guest: .*x\.c:3: error: no/);
});

it('starts the fetched one through its own loader, with nothing of the host', () => {
  const { command, before, after } = fetchedCompiler('/cache/compiler');
  const paths = [command, ...before, ...after].filter((argument) => argument.includes('/'));
  for (const path of paths) expect(path.replace(/^-[BI]/, '')).toMatch(/^\/cache\/compiler\//);
  expect(before).toContain('-nostdinc');
  expect(before).toContain('-nostdlib');
});
