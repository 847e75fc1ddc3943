import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BuildInputs, buildKey, cachedBuild, sourcesIn } from './cached-build.ts';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'viommu-test-'));
});
afterEach(() => rmSync(cache, { recursive: true }));

const crate = { name: 'librust-vm-memory-dev', version: '0.18.0-1', sha256: 'aa' };
const other = { name: 'librust-virtio-queue-dev', version: '0.18.0-1', sha256: 'bb' };
const inputs: BuildInputs = {
  sources: new Map([
    ['a.c', 'int a;'],
    ['b.c', 'int b;'],
  ]),
  toolchain: ['gcc 12', '-O2'],
  packages: [crate, other],
};

describe('buildKey', () => {
  const key = buildKey(inputs, 'a processor');

  it('is the same for the same, whatever the order of files and packages', () => {
    const turned = {
      ...inputs,
      sources: new Map([...inputs.sources].reverse()),
      packages: [other, crate],
    };
    expect(buildKey(turned, 'a processor')).toBe(key);
  });

  it.each<[string, Partial<BuildInputs>]>([
    ['a source', { sources: new Map([...inputs.sources, ['b.c', 'int c;']]) }],
    [
      'the name of a source',
      {
        sources: new Map([
          ['a.c', 'int a;'],
          ['c.c', 'int b;'],
        ]),
      },
    ],
    ['the compiler', { toolchain: ['gcc 13', '-O2'] }],
    ['an option', { toolchain: ['gcc 12', '-O3'] }],
    ['the version of a package', { packages: [{ ...crate, version: '0.18.1-1' }, other] }],
    ['a package', { packages: [crate] }],
  ])('is another when %s is', (_what, change) => {
    expect(buildKey({ ...inputs, ...change }, 'a processor')).not.toBe(key);
  });

  it('is another on another processor', () => {
    expect(buildKey(inputs, 'another')).not.toBe(key);
  });
});

describe('cachedBuild', () => {
  const build = (text: string, made: string[]) => async (folder: string, output: string) => {
    writeFileSync(join(folder, 'object'), '');
    writeFileSync(output, text);
    made.push(text);
  };

  it('builds once for the same inputs, and keeps the program alone', async () => {
    const made: string[] = [];
    const program = await cachedBuild({ cache, name: 'c', ...inputs }, build('one', made));
    expect(await cachedBuild({ cache, name: 'c', ...inputs }, build('two', made))).toBe(program);
    expect(made).toEqual(['one']);
    expect(readFileSync(program, 'utf8')).toBe('one');
    expect(readdirSync(join(program, '..')).sort()).toEqual(['contestant', 'manifest.json']);
  });

  it('builds anew for others, and removes what it replaces and nothing else', async () => {
    const made: string[] = [];
    await cachedBuild({ cache, name: 'gtree', ...inputs }, build('tree', made));
    await cachedBuild({ cache, name: 'c', ...inputs }, build('one', made));
    const changed = { ...inputs, toolchain: ['gcc 13'] };
    const program = await cachedBuild({ cache, name: 'c', ...changed }, build('two', made));
    expect(readFileSync(program, 'utf8')).toBe('two');
    expect(made).toEqual(['tree', 'one', 'two']);
    const names = readdirSync(cache).map((name) => name.replace(/-[0-9a-f]+$/, ''));
    expect(names.sort()).toEqual(['peer-program-c', 'peer-program-gtree']);
  });

  it('leaves nothing behind when a build fails', async () => {
    const failing = async () => {
      throw new Error('error: no');
    };
    await expect(cachedBuild({ cache, name: 'c', ...inputs }, failing)).rejects.toThrow(
      'error: no',
    );
    expect(readdirSync(cache)).toEqual([]);
  });
});

describe('sourcesIn', () => {
  it('reads files and folders', () => {
    mkdirSync(join(cache, 'src'));
    writeFileSync(join(cache, 'Cargo.toml'), 'toml');
    writeFileSync(join(cache, 'src/main.rs'), 'main');
    expect([...sourcesIn(cache, ['Cargo.toml', 'src'])]).toEqual([
      ['Cargo.toml', 'toml'],
      ['src/main.rs', 'main'],
    ]);
  });
});
