import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { runProgram } from '@viommu/debian-archive';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { environmentOf } from './fetch-tools.ts';
import { HOST_TOOLS, missingTools } from './host-tools.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A folder with programs of these names, which end with an exit code. */
function programs(directory: string, names: readonly string[], exitCode = 0): string {
  mkdirSync(join(folder, directory));
  for (const name of names) {
    writeFileSync(join(folder, directory, name), `#!/bin/sh\nexit ${exitCode}\n`);
    chmodSync(join(folder, directory, name), 0o755);
  }
  return join(folder, directory);
}

async function missingNames(...path: string[]): Promise<string[]> {
  const missing = await missingTools(path.join(delimiter), join(folder, 'work'));
  return missing.map(({ program }) => program);
}

describe('missingTools', () => {
  const names = HOST_TOOLS.flatMap(({ program, others = [] }) => [program, ...others]);

  it('looks in all folders of the path', async () => {
    const some = programs('some', names.slice(0, 4));
    const rest = programs('rest', names.slice(4));
    expect(await missingNames(some, rest)).toEqual([]);
    expect(await missingNames(rest)).toEqual(['make', 'bc', 'flex', 'bison']);
    expect(await missingNames('/nowhere', '')).toEqual(HOST_TOOLS.map(({ program }) => program));
  });

  it('misses a compiler that compiles nothing, and one without its linker', async () => {
    const without = programs(
      'without',
      names.filter((name) => name !== 'gcc' && name !== 'ld'),
    );
    const failing = programs('failing', ['gcc'], 1);
    const linker = programs('linker', ['ld']);
    const good = programs('good', ['gcc']);
    expect(await missingNames(without, failing, linker)).toEqual(['gcc']);
    expect(await missingNames(without, good)).toEqual(['gcc']);
    expect(await missingNames(without, good, linker)).toEqual([]);
  });
});

describe('environmentOf', () => {
  it("starts a program of the packages with the packages' libraries", async () => {
    const root = join(folder, "it's");
    mkdirSync(join(root, 'usr/bin'), { recursive: true });
    for (const name of ['m4', 'bison']) {
      const program = join(root, 'usr/bin', name);
      writeFileSync(program, '#!/bin/sh\necho "$LD_LIBRARY_PATH $*"\n');
      chmodSync(program, 0o755);
    }
    const bin = join(folder, 'bin');
    const tools = HOST_TOOLS.filter(({ program }) => program === 'm4' || program === 'bison');
    const environment = environmentOf(tools, { root, sysroot: join(folder, 'sysroot'), bin });
    expect(environment).toEqual({
      PATH: `${bin}${delimiter}${process.env.PATH}`,
      M4: join(bin, 'm4'),
      BISON_PKGDATADIR: join(root, 'usr/share/bison'),
    });
    expect(await runProgram(join(bin, 'm4'), ['-a', 'b c'])).toBe(
      `${root}/usr/lib/x86_64-linux-gnu:${root}/lib/x86_64-linux-gnu -a b c\n`,
    );
  });

  it('has gcc compile against the packages', () => {
    const bin = join(folder, 'bin');
    const tools = HOST_TOOLS.filter(({ program }) => program === 'gcc');
    environmentOf(tools, { root: '/root-folder', sysroot: '/sysroot', bin });
    expect(readFileSync(join(bin, 'gcc'), 'utf8')).toContain(
      `exec '/root-folder/usr/bin/gcc' '--sysroot=/sysroot' "$@"`,
    );
    expect(readFileSync(join(bin, 'ld'), 'utf8')).toContain(`exec '/root-folder/usr/bin/ld' "$@"`);
  });
});
