import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePart } from '@viommu/debian-archive';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareV86Guest, v86GuestIsCached } from './guest-parts.ts';
import { FILES, recipeHash } from './recipe.ts';

let folder: string;
let cache: string;
let path: string | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
  cache = join(folder, 'cache');
  path = process.env.PATH;
  // No build tools, and an apt that reaches nothing.
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'apt-get'), '#!/bin/sh\necho "E: no network" >&2\nexit 100\n');
  chmodSync(join(bin, 'apt-get'), 0o755);
  process.env.PATH = bin;
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true });
});

const FAILURE =
  /^make, bc, flex, bison, m4, xz, gcc cannot be found on this system, nor fetched \(.*\); install the packages make bc flex bison m4 xz-utils gcc libc6-dev$/;

async function putPart(recipe: string): Promise<void> {
  await writePart(join(cache, 'v86-guest'), async (directory) => {
    mkdirSync(join(directory, 'modules'));
    for (const name of Object.values(FILES)) writeFileSync(join(directory, name), name);
    return {
      packages: [],
      files: Object.values(FILES),
      facts: {
        recipe,
        kernelRelease: '6.12.117-viommu',
        kernelConfig: '00',
        compiler: 'gcc 12',
        pageBytes: '3500000',
      },
    };
  });
}

describe('prepareV86Guest', () => {
  it('takes the parts from the cache when they are of this recipe', async () => {
    await putPart(recipeHash());
    expect(v86GuestIsCached({ cache })).toBe(true);
    const directory = join(cache, 'v86-guest');
    expect(await prepareV86Guest({ cache })).toEqual({
      directory,
      kernel: join(directory, 'bzImage'),
      modules: join(directory, 'modules'),
      kernelRelease: '6.12.117-viommu',
      busybox: join(directory, 'busybox'),
      bios: join(directory, 'bios.bin'),
      vgaBios: join(directory, 'vgabios-stdvga.bin'),
      licence: join(directory, 'LICENCES.txt'),
      pageBytes: 3_500_000,
    });
  });

  it('makes them anew when they are of another recipe, damaged, or when it is forced to', async () => {
    await putPart('another');
    expect(v86GuestIsCached({ cache })).toBe(false);
    await expect(prepareV86Guest({ cache })).rejects.toThrow(FAILURE);

    rmSync(cache, { recursive: true });
    await putPart(recipeHash());
    await expect(prepareV86Guest({ cache, force: true })).rejects.toThrow(FAILURE);
    writeFileSync(join(cache, 'v86-guest', 'bzImage'), 'other');
    await expect(prepareV86Guest({ cache })).rejects.toThrow(FAILURE);
  });

  it('leaves the old parts, and nothing else, when new ones cannot be made', async () => {
    await putPart(recipeHash());
    await expect(prepareV86Guest({ cache, force: true })).rejects.toThrow(FAILURE);
    expect(readdirSync(cache)).toEqual(['v86-guest']);
    expect(v86GuestIsCached({ cache })).toBe(true);
  });

  it('says where a kernel cannot be built', async () => {
    await expect(prepareV86Guest({ cache: join(folder, 'my cache') })).rejects.toThrow(
      /^a kernel cannot be built in .*my cache, for its spaces or colons; set VIOMMU_CACHE/,
    );
    writeFileSync(join(folder, 'file'), '');
    await expect(prepareV86Guest({ cache: join(folder, 'file', 'below') })).rejects.toThrow(
      /cannot be written to: .*; set VIOMMU_CACHE to a folder that can$/,
    );
  });

  it('ends when it is told to, with nothing left', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(prepareV86Guest({ cache, signal })).rejects.toThrow('enough');
    expect(readdirSync(cache)).toEqual([]);
  });
});
