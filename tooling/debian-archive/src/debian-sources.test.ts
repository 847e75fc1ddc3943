import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findDebianSources, parseList, parseSources } from './debian-sources.ts';

describe('parseList', () => {
  it('reads the one-line form', () => {
    expect(
      parseList(`# comment
deb http://mirror.example/debian bookworm main contrib # why
deb-src http://mirror.example/debian bookworm main
deb [ arch=amd64 signed-by=/usr/share/keyrings/k.gpg ] http://other.example/debian/ sid main
`),
    ).toEqual([
      {
        uri: 'http://mirror.example/debian',
        suites: ['bookworm'],
        components: ['main', 'contrib'],
      },
      {
        uri: 'http://other.example/debian/',
        suites: ['sid'],
        components: ['main'],
        signedBy: '/usr/share/keyrings/k.gpg',
      },
    ]);
  });
});

describe('parseSources', () => {
  it('reads stanzas with comments, several values and continuation lines', () => {
    expect(
      parseSources(`Types: deb deb-src
# a comment
URIs: http://a.example/debian
 http://b.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/k.gpg

Types: deb-src
URIs: http://c.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://d.example/debian
Suites: bookworm
Components: main
Enabled: no

types: deb
uris: http://e.example/debian
suites: trixie
components: main
signed-by:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
`),
    ).toEqual([
      {
        uri: 'http://a.example/debian',
        suites: ['bookworm', 'bookworm-updates'],
        components: ['main'],
        signedBy: '/usr/share/keyrings/k.gpg',
      },
      {
        uri: 'http://b.example/debian',
        suites: ['bookworm', 'bookworm-updates'],
        components: ['main'],
        signedBy: '/usr/share/keyrings/k.gpg',
      },
      { uri: 'http://e.example/debian', suites: ['trixie'], components: ['main'] },
    ]);
  });
});

describe('findDebianSources', () => {
  let apt: string;
  beforeEach(() => {
    apt = mkdtempSync(join(tmpdir(), 'viommu-test-'));
    mkdirSync(join(apt, 'sources.list.d'));
  });
  afterEach(() => rmSync(apt, { recursive: true }));

  const put = (name: string, text: string): void =>
    writeFileSync(join(apt, 'sources.list.d', name), text);
  const uris = (): string[] => findDebianSources(apt).map(({ uri }) => uri);

  it("tells Debian's archive from the others", () => {
    put('docker.list', 'deb https://docker.example/linux/debian bookworm stable\n');
    put('node.list', 'deb https://node.example/node_20.x nodistro main\n');
    put('php.list', 'deb https://php.example/php bookworm main\n');
    put('debian.list', 'deb http://mirror.example/debian bookworm main\n');
    put('security.list', 'deb http://mirror.example/debian-security bookworm-security main\n');
    expect(uris()).toEqual(['http://mirror.example/debian']);
  });

  it('reads sources.list and each mirror once, and no files of other endings', () => {
    writeFileSync(join(apt, 'sources.list'), 'deb http://a.example/debian trixie main\n');
    put('more.list', 'deb http://a.example/debian trixie-backports main\n');
    put('old.list.disabled', 'deb http://b.example/debian trixie main\n');
    put('cd.list', 'deb cdrom:[Debian]/ trixie main\n');
    expect(uris()).toEqual(['http://a.example/debian']);
  });

  it('takes what there is when no mirror has the usual name', () => {
    put('x.list', 'deb http://snapshots.example/archive/20260101 bookworm main\n');
    expect(uris()).toEqual(['http://snapshots.example/archive/20260101']);
  });

  it('finds nothing on another system', () => {
    put('ubuntu.list', 'deb http://archive.example/ubuntu noble main\n');
    expect(uris()).toEqual([]);
    expect(findDebianSources(join(apt, 'missing'))).toEqual([]);
  });
});
