/** What the command prints of the scenarios: each request as it was on the wire, and a disk that is a file. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  MMIO_TRANSPORT,
  type PassThroughSummary,
  PCI_TRANSPORT,
  playDisk,
  playPassThrough,
} from '@viommu/scenarios';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileDiskParts } from './file-disk-parts.ts';
import { Narrator } from './narrator.ts';

const BYTES = 96 * 1024;
const hex = (address: number): string => `0x${address.toString(16)}`;

function narrated<Summary>(play: (narrator: Narrator) => Summary) {
  let text = '';
  const summary = play(
    new Narrator((part) => {
      text += part;
    }),
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are taken out
  return { summary, text: text.replaceAll(/\x1b\[\d+m/g, '') };
}

describe.each([
  ['PCI', PCI_TRANSPORT],
  ['MMIO', MMIO_TRANSPORT],
])('over %s', (_name, transport) => {
  describe('a disk', () => {
    let folder: string;
    let path: string;
    let before: Uint8Array;
    const tell = (readOnly = false) =>
      narrated((narrator) => playDisk(narrator, fileDiskParts(path, readOnly), transport));

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'viommu-story-'));
      path = join(folder, 'disk.img');
      before = Uint8Array.from({ length: BYTES }, (_, index) => (index * 7 + (index >> 9)) & 0xff);
      writeFileSync(path, before);
    });

    afterEach(() => {
      rmSync(folder, { recursive: true });
    });

    it('is a file whose second half is inverted, and its first as it was', () => {
      tell();
      const after = new Uint8Array(readFileSync(path));
      expect(after.subarray(0, BYTES / 2)).toEqual(before.subarray(0, BYTES / 2));
      expect(after.subarray(BYTES / 2)).toEqual(
        before.subarray(0, BYTES / 2).map((byte) => 255 - byte),
      );
    });

    it('is told with the requests as they were on the wire, and both faults', () => {
      const { text } = tell();
      expect(text).toContain('05 000000 28000000 00×64');
      expect(text).toContain('01 000000 01000000 28000000 00000000 00000000');
      expect(text).toContain('keeps off 0xfee00000..0xfeefffff, reserved for interrupts');
      expect(text).toContain('reason 2, flags 0x102, endpoint 0x28, address 0xdead0000');
      expect(text).toContain('S_INVAL');
      expect(text).toContain('S_RANGE');
      expect(text).toContain('02 000000 01000000 28000000 0000000000000000');
      expect(text).toContain('the endpoint has no domain');
    });

    it('fails when it does not take what is written', () => {
      expect(() => tell(true)).toThrow(/refused to write/);
    });
  });

  it('tells of a device that is passed through with each step of the figure', () => {
    const { text, summary } = narrated<PassThroughSummary>((narrator) =>
      playPassThrough(narrator, transport),
    );
    const { virtualAddress, guestPhysical, hostPhysical } = summary;
    const va = hex(virtualAddress);
    expect(text).toMatch(new RegExp(`1a  VFIO_IOMMU_MAP_DMA: VA ${va}, IOVA the same`));
    expect(text).toMatch(new RegExp(`1b  relays .*${guestPhysical.map(hex).join(', ')}`));
    expect(text).toMatch(
      new RegExp(`MAP domain 1 virt_start ${va} .*phys_start ${hex(guestPhysical[0]!)}`),
    );
    expect(text).toMatch(
      new RegExp(`1c  IOVA ${va}\\.\\.\\S+ is .*host-physical ${hex(hostPhysical[0]!)}`),
    );
    expect(text).toMatch(new RegExp(`2a  is told to copy 8192 bytes from ${va}`));
    expect(text).toMatch(new RegExp(`2b  reads  4096 bytes at ${va}, .*${hex(hostPhysical[0]!)}`));
    expect(text).toMatch(
      new RegExp(
        `2b  writes 4096 bytes at ${hex(virtualAddress + 8192)}, .*${hex(hostPhysical[2]!)}`,
      ),
    );
  });
});
