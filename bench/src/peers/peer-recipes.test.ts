import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preparePeers } from './peer-programs.ts';
import { PEER_RECIPES } from './peer-recipes.ts';

let folder: string;
let path: string | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
  path = process.env.PATH;
  mkdirSync(join(folder, 'bin'));
  process.env.PATH = join(folder, 'bin');
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true });
});

function program(name: string, script: string): void {
  writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'bin', name), 0o755);
}

function skipped(): Promise<readonly string[]> {
  const sources = fileURLToPath(new URL('../../peers/', import.meta.url));
  const folders = { cache: join(folder, 'cache'), sources };
  return preparePeers({ onProgress: () => {} }, PEER_RECIPES, folders).then(
    (peers) => peers.skipped,
  );
}

describe('PEER_RECIPES', () => {
  it('say which compiler is missing before anything is fetched', async () => {
    const [rust, c, gtree] = await skipped();
    expect(rust).toBe('rust, btree: rustc is not there; install it');
    expect(c).toBe('c: gcc is not there; install it');
    expect(gtree).toBe('gtree: gcc is not there; install it');
    program('rustc', 'echo rustc 1.95.0');
    expect((await skipped())[0]).toBe('rust, btree: cargo is not there; install it');
  });

  it('say that the packages cannot be had', async () => {
    program('rustc', 'echo rustc 1.95.0');
    program('cargo', 'echo cargo 1.95.0');
    program('gcc', 'echo gcc 12');
    const [rust, c, gtree] = await skipped();
    expect(rust).toMatch(
      /^rust, btree: rust-vmm's crates cannot be had from Debian's packages \(.+\)$/,
    );
    // It was called, and wrote nothing.
    expect(c).toMatch(/^c: .*contestant/);
    expect(gtree).toMatch(/^gtree: GLib cannot be had from Debian's packages \(.+\)$/);
  });

  it('say what the compiler found first', async () => {
    program(
      'gcc',
      '[ "$1" = --version ] || { echo "a.c: In f"; echo "a.c:1:1: error: no"; exit 1; } >&2',
    );
    expect((await skipped())[1]).toBe('c: gcc ended with exit code 1: a.c:1:1: error: no');
  });
});
