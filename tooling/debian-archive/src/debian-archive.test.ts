import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DebianArchive, packagesOfPlan } from './debian-archive.ts';

let folder: string;
let path: string | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
  path = process.env.PATH;
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true });
});

/** Puts a program in the way of the host's apt-get; it finds its arguments in a file, one line a call. */
function fakeApt(script: string): void {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'apt-get'),
    `#!/bin/sh\necho "$@" >> ${join(folder, 'calls')}\n${script}`,
  );
  chmodSync(join(bin, 'apt-get'), 0o755);
  process.env.PATH = `${bin}${delimiter}${path}`;
  mkdirSync(join(folder, 'apt'));
  writeFileSync(
    join(folder, 'apt', 'sources.list'),
    'deb http://a.example/debian bookworm main\ndeb http://b.example/debian bookworm main\n',
  );
}

function calls(): string[] {
  return readFileSync(join(folder, 'calls'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.replace(/^-c \S+ /, ''));
}

function open(...releases: string[][]): Promise<DebianArchive> {
  return DebianArchive.open({
    directory: join(folder, 'state'),
    hostConfiguration: join(folder, 'apt'),
    keyrings: [],
    releases,
    onProgress: () => {},
  });
}

describe('packagesOfPlan', () => {
  it('reads names and versions, and no lines that configure', () => {
    expect(
      packagesOfPlan(`Reading package lists...
Inst librust-libc-dev (0.2.186-1 Debian:unstable [amd64])
Inst perl [5.36] (1:5.42.3-1 Debian:unstable [amd64]) []
Conf librust-libc-dev (0.2.186-1 Debian:unstable [amd64])
`),
    ).toEqual([
      { name: 'librust-libc-dev', version: '0.2.186-1' },
      { name: 'perl', version: '1:5.42.3-1' },
    ]);
  });
});

describe('DebianArchive', () => {
  it('takes the first release that all lists can be had of', async () => {
    fakeApt('grep -q "debian sid" "$(dirname "$2")/sources.list" || exit 100\n');
    const archive = await open(['trixie'], ['sid']);
    expect(archive.suites).toEqual(['sid']);
    // Both mirrors were asked for trixie.
    expect(calls()).toEqual(['update -q', 'update -q', 'update -q']);
  });

  it('says what the first mirror answered when there is no release', async () => {
    fakeApt('echo "E: no such suite" >&2; exit 100\n');
    await expect(open(['trixie'])).rejects.toThrow('no such suite');
  });

  it('downloads what is wanted of a plan, with the versions of the plan', async () => {
    fakeApt(`case "$*" in *--simulate*)
echo "Inst libc6 (2.43-7 Debian:unstable [amd64])"
echo "Inst librust-log-dev (0.4.34-1 Debian:unstable [amd64])"
echo "Inst librust-virtio-queue-dev (0.18.0-1 Debian:unstable [amd64])"
esac
`);
    const archive = await open(['sid']);
    const downloads = await archive.downloadWithDependencies(['librust-virtio-queue-dev'], {
      suite: 'sid',
      title: 'crates',
      wanted: (name) => name.startsWith('librust-'),
    });
    expect(downloads).toBe(join(folder, 'state', 'cache', 'archives'));
    expect(calls().slice(1)).toEqual([
      'install --no-install-recommends -y -q -t sid librust-virtio-queue-dev --simulate',
      'download -q librust-log-dev=0.4.34-1 librust-virtio-queue-dev=0.18.0-1',
    ]);
  });

  it('downloads all of it when nothing is left out', async () => {
    fakeApt('');
    const archive = await open(['sid']);
    await archive.downloadWithDependencies(['qemu-system-x86'], { suite: 'sid', title: 'QEMU' });
    expect(calls().at(-1)).toMatch(/qemu-system-x86 --download-only$/);
  });
});
