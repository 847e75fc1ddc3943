import { describe, expect, it } from 'vitest';
import { formatBdf, formatPciAddress, parsePciAddress } from './pci-address.ts';

describe('PCI addresses', () => {
  it('reads bus:device.function in segment 0', () => {
    expect(parsePciAddress('00:05.0')).toEqual({ segment: 0, bdf: 0x28 });
    expect(parsePciAddress('3f:1e.7')).toEqual({ segment: 0, bdf: 0x3ff7 });
  });

  it('reads the segment where it is given', () => {
    expect(parsePciAddress('0000:00:05.0')).toEqual({ segment: 0, bdf: 0x28 });
    expect(parsePciAddress('ABCD:ff:1F.7')).toEqual({ segment: 0xabcd, bdf: 0xffff });
  });

  it.each([
    '',
    '5',
    '00:05',
    '00:20.0',
    '00:05.8',
    '100:05.0',
    '10000:00:05.0',
    '00:05.0 ',
    '0x0:5.0',
  ])('refuses %j', (text) => {
    expect(() => parsePciAddress(text)).toThrowError(expect.objectContaining({ code: 'BDF' }));
  });

  it('writes what Linux writes', () => {
    expect(formatPciAddress({ segment: 0, bdf: 0x28 })).toBe('0000:00:05.0');
    expect(formatPciAddress({ segment: 0xabcd, bdf: 0xffff })).toBe('abcd:ff:1f.7');
    expect(formatBdf(0x3ff7)).toBe('3f:1e.7');
  });
});
