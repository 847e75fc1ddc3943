import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

it('finishes what the compiler leaves undone', async () => {
  const output = join(folder, 'finished');
  const finish = (program: Uint8Array) => program.fill(0x78);
  await compileProgram({ ...ownCompiler(join(folder, 'cc')), finish }, 'x.c', output);
  expect(readFileSync(output, 'utf8')).toMatch(/^x+$/);
});

it('has the fetched one make programs for i386', () => {
  const { before, after, finish } = fetchedCompiler('/cache/compiler-i386', 'i386');
  expect(before).toContain('/cache/compiler-i386/usr/bin/i386-tcc');
  expect(before).toContain('-I/cache/compiler-i386/usr/include/i386-linux-gnu');
  expect(after).toContain('/cache/compiler-i386/usr/lib/i386-linux-musl/libc.a');
  // What the C library needs, and tcc's own has not.
  expect(existsSync(after[0]!)).toBe(true);
  expect(finish).toBeDefined();
});

it('starts the fetched one through its own loader, with nothing of the host', () => {
  const { command, before, after } = fetchedCompiler('/cache/compiler');
  const paths = [command, ...before, ...after].filter((argument) => argument.includes('/'));
  for (const path of paths) expect(path.replace(/^-[BI]/, '')).toMatch(/^\/cache\/compiler\//);
  expect(before).toContain('-nostdinc');
  expect(before).toContain('-nostdlib');
});
