import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { armImage, bzImage } from './fixtures.ts';
import { kernelRelease } from './kernel-release.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

describe('kernelRelease', () => {
  it('is the first word of the version text', () => {
    const path = file(
      'vmlinuz',
      bzImage('6.12.117+deb13-amd64 (debian-kernel@lists.debian.org) #1'),
    );
    expect(kernelRelease(path)).toBe('6.12.117+deb13-amd64');
  });

  it("is in an arm64 kernel's first message, compressed or not", () => {
    const image = armImage('6.12.117+deb13-arm64-16k (debian-kernel@lists.debian.org) (gcc');
    expect(kernelRelease(file('Image', image), 'arm64')).toBe('6.12.117+deb13-arm64-16k');
    expect(kernelRelease(file('Image.gz', gzipSync(image)), 'arm64')).toBe(
      '6.12.117+deb13-arm64-16k',
    );
  });

  it('refuses what is no kernel', () => {
    expect(() => kernelRelease(file('zeros', Buffer.alloc(40000)))).toThrow(
      'is not an x86 Linux kernel; it takes a vmlinuz',
    );
    expect(() => kernelRelease(file('short', Buffer.from('hello')))).toThrow('is not an x86 Linux');
    expect(() => kernelRelease(join(folder, 'missing'))).toThrow(/cannot be read: ENOENT/);
  });

  it('refuses a kernel of the other architecture', () => {
    expect(() => kernelRelease(file('bzImage', bzImage('6.12.1 ')), 'arm64')).toThrow(
      'is not an arm64 Linux kernel',
    );
    expect(() => kernelRelease(file('Image', armImage('6.12.1 ')))).toThrow('is not an x86 Linux');
  });

  it.each([
    ['a version text that does not end', bzImage('6.12.1'.repeat(30)), 'x86_64'],
    ['an arm64 image without the message', Buffer.alloc(16384).fill('ARMd'), 'arm64'],
    ['a gzip file cut short', gzipSync(armImage('6.12.1 ')).subarray(0, 40), 'arm64'],
    ['a file that ends in its first byte', Buffer.from('\x1f'), 'arm64'],
  ] as const)('refuses %s', (_, content, architecture) => {
    expect(() => kernelRelease(file('odd', content), architecture)).toThrow('is not an');
  });
});
