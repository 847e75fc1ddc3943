/** The disk is read and written through the mappings, and the scenario notices when it is not. */
import { describe, expect, it } from 'vitest';
import { MMIO_TRANSPORT, PCI_TRANSPORT } from '../bus/in-process-transport.ts';
import { NotingTeller } from '../fixtures/noting-teller.ts';
import { playDisk } from './disk-scenario.ts';
import { memoryDiskParts } from './memory-disk-parts.ts';

const BYTES = 96 * 1024;

describe.each([
  ['PCI', PCI_TRANSPORT],
  ['MMIO', MMIO_TRANSPORT],
])('over %s', (_name, transport) => {
  const content = () =>
    Uint8Array.from({ length: BYTES }, (_, index) => (index * 7 + (index >> 9)) & 0xff);

  it('reads the disk, inverts its second half, and leaves the first as it was', () => {
    const disk = content();
    const teller = new NotingTeller();
    const summary = playDisk(teller, memoryDiskParts(disk), transport);
    const before = content().subarray(0, BYTES / 2);
    expect(disk.subarray(0, BYTES / 2)).toEqual(before);
    expect(disk.subarray(BYTES / 2)).toEqual(before.map((byte) => 255 - byte));
    expect(summary).toMatchObject({ bytesRead: BYTES, bytesWritten: BYTES / 2, faults: 2 });
    expect(summary.translatedBytes).toBeGreaterThan(BYTES * 1.5);
    expect(teller.chapters).toHaveLength(8);
    expect(teller.statuses.filter((status) => status !== 0)).toHaveLength(2);
    expect(teller.steps).toEqual([]);
  });

  it('fails when the disk does not take what is written', () => {
    const parts = memoryDiskParts(content(), true);
    expect(() => playDisk(new NotingTeller(), parts, transport)).toThrow(/refused to write/);
  });

  it('fails when the disk holds something else than what was read', () => {
    const parts = { ...memoryDiskParts(content()), sha256OfDisk: () => '' };
    expect(() => playDisk(new NotingTeller(), parts, transport)).toThrow(/not what is in the file/);
  });
});
