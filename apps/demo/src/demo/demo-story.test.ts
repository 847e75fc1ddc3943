/** The demo is told, does what it tells, and notices when it does not. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tellStory } from './demo-story.ts';
import { MMIO_TRANSPORT, PCI_TRANSPORT } from './in-process-transport.ts';

const BYTES = 96 * 1024;
let folder: string;
let path: string;
let before: Uint8Array;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-story-'));
  path = join(folder, 'disk.img');
  before = Uint8Array.from({ length: BYTES }, (_, index) => (index * 7 + (index >> 9)) & 0xff);
  writeFileSync(path, before);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe.each([
  ['PCI', PCI_TRANSPORT],
  ['MMIO', MMIO_TRANSPORT],
])('over %s', (_name, transport) => {
  function tell(readOnly = false) {
    let text = '';
    const write = (part: string) => {
      text += part;
    };
    const summary = tellStory(path, write, { readOnly, transport });
    return { summary, text };
  }

  it('reads the disk, inverts its second half, and leaves the first as it was', () => {
    const { summary } = tell();
    const after = new Uint8Array(readFileSync(path));
    expect(after.subarray(0, BYTES / 2)).toEqual(before.subarray(0, BYTES / 2));
    expect(after.subarray(BYTES / 2)).toEqual(
      before.subarray(0, BYTES / 2).map((byte) => 255 - byte),
    );
    expect(summary).toMatchObject({ bytesRead: BYTES, bytesWritten: BYTES / 2, faults: 2 });
    expect(summary.translatedBytes).toBeGreaterThan(BYTES * 1.5);
  });

  it('shows the requests as they were on the wire, and both faults', () => {
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

  it('fails when the disk does not take what is written', () => {
    expect(() => tell(true)).toThrow(/refused to write/);
  });
});
