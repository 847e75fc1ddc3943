import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheDirectory, makeFolder, readPart, writePart } from './part-cache.ts';

let cache: string;
let part: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'viommu-test-'));
  part = join(cache, 'busybox');
});
afterEach(() => rmSync(cache, { recursive: true }));

const packages = [{ name: 'busybox-static', version: '1:1.37.0-6', sha256: '00' }];
const SHA256_OF_HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';

function fillWith(text: string) {
  return async (folder: string) => {
    writeFileSync(join(folder, 'busybox'), text);
    return { packages, files: ['busybox'] };
  };
}

describe('writePart', () => {
  it('puts the part and its manifest in place', async () => {
    const manifest = await writePart(part, fillWith('hello'));
    expect(manifest).toEqual({ packages, files: { busybox: SHA256_OF_HELLO } });
    expect(readPart(part)).toEqual(manifest);
    expect(JSON.parse(readFileSync(join(part, 'manifest.json'), 'utf8'))).toEqual(manifest);
    expect(readdirSync(cache)).toEqual(['busybox']);
  });

  it('leaves nothing behind when it fails half-way', async () => {
    await expect(
      writePart(part, async (folder) => {
        writeFileSync(join(folder, 'busybox'), 'hel');
        throw new Error('no network');
      }),
    ).rejects.toThrow('no network');
    expect(readdirSync(cache)).toEqual([]);
    expect(readPart(part)).toBeUndefined();
  });

  it('replaces a part that is damaged', async () => {
    await writePart(part, fillWith('hello'));
    writeFileSync(join(part, 'busybox'), 'hellO');
    expect(readPart(part)).toBeUndefined();
    await writePart(part, fillWith('hello'));
    expect(readPart(part)?.files).toEqual({ busybox: SHA256_OF_HELLO });
  });

  it('takes the part of another process that was faster', async () => {
    const manifest = await writePart(part, async (folder) => {
      await writePart(part, fillWith('hello'));
      return fillWith('theirs')(folder);
    });
    expect(manifest.files).toEqual({ busybox: SHA256_OF_HELLO });
    expect(readFileSync(join(part, 'busybox'), 'utf8')).toBe('hello');
  });
});

describe('writePart, with more to say', () => {
  it('keeps what else the part was made from', async () => {
    const fill = async (folder: string) => ({
      ...(await fillWith('hello')(folder)),
      facts: { configuration: '12ab' },
    });
    expect((await writePart(part, fill)).facts).toEqual({ configuration: '12ab' });
    expect(readPart(part)?.facts).toEqual({ configuration: '12ab' });
  });

  it('replaces a part that is whole only when it is told to', async () => {
    await writePart(part, fillWith('hello'));
    await writePart(part, fillWith('newer'));
    expect(readFileSync(join(part, 'busybox'), 'utf8')).toBe('hello');
    await writePart(part, fillWith('newer'), { replace: true });
    expect(readFileSync(join(part, 'busybox'), 'utf8')).toBe('newer');
    expect(readPart(part)).toBeDefined();
  });
});

describe('readPart', () => {
  it('takes no folder without a manifest, nor one that misses a file', async () => {
    mkdirSync(part);
    expect(readPart(part)).toBeUndefined();
    await writePart(part, fillWith('hello'));
    rmSync(join(part, 'busybox'));
    expect(readPart(part)).toBeUndefined();
  });
});

describe('makeFolder', () => {
  it('removes what others abandoned long ago, and only that', () => {
    const old = makeFolder(cache);
    const recent = makeFolder(cache);
    const yesterday = Date.now() / 1000 - 24 * 60 * 60;
    utimesSync(old, yesterday, yesterday);
    makeFolder(cache);
    expect(existsSync(old)).toBe(false);
    expect(existsSync(recent)).toBe(true);
  });

  it('says what to do when the cache cannot be written to', () => {
    writeFileSync(join(cache, 'file'), '');
    expect(() => makeFolder(join(cache, 'file', 'below'))).toThrow(/set VIOMMU_CACHE to a folder/);
  });
});

describe('cacheDirectory', () => {
  it("is the user's cache folder unless told otherwise", () => {
    expect(cacheDirectory({ VIOMMU_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
    expect(cacheDirectory({ XDG_CACHE_HOME: '/b' })).toBe('/b/viommu');
    expect(cacheDirectory({ VIOMMU_CACHE: 'c' })).toBe(join(process.cwd(), 'c'));
    expect(cacheDirectory({})).toMatch(/\/\.cache\/viommu$/);
  });
});
