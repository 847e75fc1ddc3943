/** Checksums are the same, whether the disk is a file or bytes in memory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryDiskParts } from '@viommu/scenarios';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fileDiskParts } from './file-disk-parts.ts';

const LENGTH = 8192;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-parts-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

it('sums up the same bytes to the same, of any part of a disk', () => {
  const bytes = Uint8Array.from({ length: LENGTH }, (_, index) => (index * 13) ^ (index >> 5));
  const path = join(folder, 'disk.img');
  writeFileSync(path, bytes);
  const [memory, file] = [memoryDiskParts(bytes), fileDiskParts(path)];
  for (let length = 0; length < 200; length += 1) {
    expect(memory.sha256OfDisk(length, length)).toBe(file.sha256OfDisk(length, length));
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: LENGTH }), (any) => {
      expect(memory.sha256(any)).toBe(file.sha256(any));
    }),
    { numRuns: 50 },
  );
});
