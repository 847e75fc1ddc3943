import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bzImage } from './fixtures.ts';
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

  it('refuses what is no kernel', () => {
    expect(() => kernelRelease(file('zeros', Buffer.alloc(40000)))).toThrow(
      'is not an x86 Linux kernel; it takes a vmlinuz',
    );
    expect(() => kernelRelease(file('short', Buffer.from('hello')))).toThrow('is not an x86 Linux');
    expect(() => kernelRelease(join(folder, 'missing'))).toThrow(/cannot be read: ENOENT/);
  });
});
