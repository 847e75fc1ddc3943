import { describe, expect, it } from 'vitest';
import { parseOrigin } from './source-packages.ts';

describe('parseOrigin', () => {
  it('reads source and version where they differ, and what else is in the package', () => {
    expect(
      parseOrigin(`Package: busybox-static
Version: 1:1.37.0-6+b9
Source: busybox (1:1.37.0-6)
Built-Using: glibc (= 2.41-12+deb13u4)
`),
    ).toEqual({
      package: 'busybox-static',
      version: '1:1.37.0-6+b9',
      source: { name: 'busybox', version: '1:1.37.0-6' },
      includes: [{ name: 'glibc', version: '2.41-12+deb13u4' }],
    });
  });

  it("takes the package's name and version where no others are said", () => {
    expect(parseOrigin('Package: seabios\nVersion: 1.16.3-2\n')).toEqual({
      package: 'seabios',
      version: '1.16.3-2',
      source: { name: 'seabios', version: '1.16.3-2' },
      includes: [],
    });
    expect(
      parseOrigin('Package: linux-source-6.12\nVersion: 6.12.117-1\nSource: linux\n').source,
    ).toEqual({ name: 'linux', version: '6.12.117-1' });
  });
});
