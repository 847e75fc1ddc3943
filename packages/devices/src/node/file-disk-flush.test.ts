/** A file's data reach its storage before the driver hears that they are stable. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { VirtioBlockDevice } from '../block/virtio-block-device.ts';
import { Guest } from '../fixtures/guest.ts';
import { type FileDisk, openFileDisk } from './file-disk.ts';

const calls = vi.hoisted((): string[] => []);

vi.mock('node:fs', async (importActual) => {
  const actual = await importActual<typeof import('node:fs')>();
  return {
    ...actual,
    writeSync: (...args: Parameters<typeof actual.writeSync>) => {
      calls.push('write');
      return actual.writeSync(...args);
    },
    fdatasyncSync: (file: number) => {
      calls.push('fdatasync');
      actual.fdatasyncSync(file);
    },
  };
});

/** A write of one sector, a flush: struct virtio_blk_req with type 1, 4. */
const [WRITE, FLUSH] = [
  Uint8Array.of(1, ...new Uint8Array(527)),
  Uint8Array.of(4, ...new Uint8Array(15)),
];
/** VERSION_1, and VIRTIO_BLK_F_FLUSH (bit 9). */
const [WITHOUT_FLUSH, WITH_FLUSH] = [0x1_0000_0000n, 0x1_0000_0200n];

let folder: string;
let disk: FileDisk;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-flush-'));
  writeFileSync(join(folder, 'disk.img'), new Uint8Array(2048));
  disk = openFileDisk(join(folder, 'disk.img'));
  calls.length = 0;
});

afterEach(() => {
  disk.close();
  rmSync(folder, { recursive: true });
});

function callsOf(guest: Guest, request: Uint8Array): string[] {
  const { bytes } = guest.send(request, 1);
  expect([...bytes]).toEqual([0]);
  return calls.splice(0);
}

it('a write is stable when it is used, for a driver that does not know how to flush', () => {
  const guest = new Guest(new VirtioBlockDevice({ disk }), { features: WITHOUT_FLUSH });
  expect(callsOf(guest, WRITE)).toEqual(['write', 'fdatasync']);
});

it('a write is stable when the flush after it is used, for one that does', () => {
  const guest = new Guest(new VirtioBlockDevice({ disk }), { features: WITH_FLUSH });
  expect(callsOf(guest, WRITE)).toEqual(['write']);
  expect(callsOf(guest, FLUSH)).toEqual(['fdatasync']);
});
