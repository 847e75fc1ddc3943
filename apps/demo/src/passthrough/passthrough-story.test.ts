/** The pass-through is told with every step of the figure, and with the addresses of the run. */
import { describe, expect, it } from 'vitest';
import { MMIO_TRANSPORT, PCI_TRANSPORT } from '../demo/in-process-transport.ts';
import { tellPassThrough } from './passthrough-story.ts';

const hex = (address: number): string => `0x${address.toString(16)}`;

describe.each([
  ['PCI', PCI_TRANSPORT],
  ['MMIO', MMIO_TRANSPORT],
])('with the IOMMU on %s', (_name, transport) => {
  function tell() {
    let text = '';
    const summary = tellPassThrough((part) => {
      text += part;
    }, transport);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are taken out
    return { summary, text: text.replaceAll(/\x1b\[\d+m/g, '') };
  }

  it('goes from virtual to guest-physical to host-physical addresses, which are all different', () => {
    const { summary } = tell();
    const { virtualAddress, guestPhysical, hostPhysical } = summary;
    expect(guestPhysical).toHaveLength(4);
    expect(hostPhysical).toHaveLength(4);
    expect(new Set([virtualAddress, ...guestPhysical, ...hostPhysical]).size).toBe(9);
    for (let page = 1; page < 4; page++) {
      expect(hostPhysical[page]).not.toBe(hostPhysical[page - 1]! + 4096);
    }
  });

  it('shows each step of the figure with these addresses', () => {
    const { text, summary } = tell();
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

  it('has two faults, and one interrupt per copy beside those of the IOMMU', () => {
    const { summary, text } = tell();
    expect(summary.faults).toBe(2);
    expect(text.match(/is told to copy/g)).toHaveLength(4);
    expect(summary.interrupts).toBeGreaterThanOrEqual(4);
  });
});
