import { expect, it } from 'vitest';
import { licenceText } from './licence.ts';
import { parseOrigin } from './source-packages.ts';

it('names each licence, and each source package with its version and address', () => {
  const text = licenceText({
    kernelRelease: '6.12.117-viommu',
    compiler: 'gcc (Debian 12.2.0-14) 12.2.0',
    linux: parseOrigin('Package: linux-source-6.12\nVersion: 6.12.117-1\nSource: linux\n'),
    busybox: parseOrigin(`Package: busybox-static
Version: 1:1.37.0-6+b9
Source: busybox (1:1.37.0-6)
Built-Using: glibc (= 2.41-12)
`),
    seabios: parseOrigin('Package: seabios\nVersion: 1.16.3-2\n'),
  });
  expect(text).toContain('The Linux kernel 6.12.117-viommu, under the GNU General Public License');
  expect(text).toContain('with gcc (Debian 12.2.0-14) 12.2.0.');
  const list = text.slice(text.indexOf('\nSources\n')).match(/^ {4}\S.*$/gm);
  expect(list).toEqual([
    '    linux 6.12.117-1: https://snapshot.debian.org/package/linux/6.12.117-1/',
    '    busybox 1:1.37.0-6: https://snapshot.debian.org/package/busybox/1%3A1.37.0-6/',
    '    glibc 2.41-12: https://snapshot.debian.org/package/glibc/2.41-12/',
    '    seabios 1.16.3-2: https://snapshot.debian.org/package/seabios/1.16.3-2/',
  ]);
  for (const name of ['GPL-2', 'GPL-3', 'LGPL-2.1', 'LGPL-3']) {
    expect(text).toContain(`licences/${name}`);
  }
});
