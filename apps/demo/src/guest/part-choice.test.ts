import { describe, expect, it } from 'vitest';
import { neededParts, neededPrograms } from './part-choice.ts';

// The guest tests' host, and the only one that Debian's parts run on.
const onAmd64 = process.arch === 'x64';

describe.runIf(onAmd64)('neededParts', () => {
  it('are those of a stock x86_64 guest when nothing is said', () => {
    expect(neededParts({})).toEqual(['qemu', 'linux', 'busybox']);
    expect(neededParts({ compiler: true })).toEqual(['qemu', 'linux', 'busybox', 'compiler']);
  });

  it('are programs of this host alone, when that is all that is asked for', () => {
    expect(neededPrograms({})).toEqual([]);
    expect(neededPrograms({ network: true, compiler: true })).toEqual(['passt', 'compiler']);
    expect(neededPrograms({ architecture: 'i386', compiler: true })).toEqual(['compiler-i386']);
    const own = { passt: 'p', cc: 'c' };
    expect(neededPrograms({ ...own, network: true, compiler: true })).toEqual([]);
  });

  it('have a busybox more, and dtc, when the guest is of another architecture', () => {
    expect(neededParts({ architecture: 'arm64' })).toEqual([
      'qemu-arm64',
      'linux-arm64',
      'busybox-arm64',
      'busybox',
      'table-tools',
    ]);
  });

  it.each([
    [{ linux: 'backports' }, 'linux-backports'],
    [{ linux: 'stable', pages: '4k' }, 'linux'],
    [{ architecture: 'arm64', linux: 'backports' }, 'linux-arm64-backports'],
    [{ architecture: 'arm64', pages: '16k' }, 'linux-arm64-16k'],
    [{ architecture: 'arm64', pages: '16k', linux: 'backports' }, 'linux-arm64-16k-backports'],
  ] as const)('have the kernel that was asked for: %o', (choice, part) => {
    expect(neededParts(choice)[1]).toBe(part);
  });

  it('are not what the user brings', () => {
    const own = { qemu: 'q', kernel: 'k', busybox: 'b', dtc: 'd', cc: 'c', compiler: true };
    expect(neededParts(own)).toEqual([]);
    expect(neededParts({ ...own, architecture: 'arm64' })).toEqual(['busybox']);
  });

  it.each([
    ['large pages on x86_64', { pages: '16k' }, '--pages 16k: an x86_64 guest has pages of 4k'],
    ['two kernels', { kernel: 'k', linux: 'backports' }, '--linux and --pages choose'],
    [
      'a compiler for arm64',
      { architecture: 'arm64', compiler: true },
      'makes programs for x86_64 and i386, and the guest is arm64; pass --cc',
    ],
  ] as const)('refuses %s', (_, choice, message) => {
    expect(() => neededParts(choice)).toThrow(message);
  });
});
