import { describe, expect, it } from 'vitest';
import { PciConfigSpace } from './config-space.ts';

const identity = {
  vendorId: 0x1af4,
  deviceId: 0x1057,
  revisionId: 1,
  classCode: 0x123456,
  subsystemVendorId: 0xaaaa,
  subsystemId: 0xbbbb,
  interruptPin: 1,
};

function configSpace() {
  return new PciConfigSpace(identity, [
    { index: 0, size: 0x4000 },
    { index: 3, size: 16 },
  ]);
}

function bytes(config: PciConfigSpace, from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => config.read(from + at, 1));
}

describe('PciConfigSpace', () => {
  it('is a type 0 header', () => {
    expect(bytes(configSpace(), 0, 0x40)).toEqual([
      0xf4, 0x1a, 0x57, 0x10, 0, 0, 0, 0, 0x01, 0x56, 0x34, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xaa, 0xaa, 0xbb, 0xbb, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0,
    ]);
  });

  it('sizes BARs in any width', () => {
    const config = configSpace();
    config.write(0x10, 4, 0xffffffff);
    expect(config.read(0x10, 4)).toBe(0xffffc000);
    for (let byte = 0; byte < 4; byte++) config.write(0x1c + byte, 1, 0xff);
    expect(config.read(0x1c, 4)).toBe(0xfffffff0);
    config.write(0x14, 4, 0xffffffff);
    expect(config.read(0x14, 4)).toBe(0);
  });

  it('lets the guest set memory, master and INTx disable in the command register, no other bit', () => {
    const config = configSpace();
    config.write(0x04, 4, 0xffffffff);
    expect(config.read(0x04, 4)).toBe(0x0406);
    expect(config.command).toBe(0x0406);
  });

  it('keeps the interrupt line for the firmware', () => {
    const config = configSpace();
    config.write(0x3c, 4, 0xffffff0b);
    expect(config.read(0x3c, 4)).toBe(0x0000010b);
  });

  it('links capabilities, aligned to four bytes, with the writable bits given', () => {
    const config = configSpace();
    expect(config.read(0x34, 1)).toBe(0);
    expect(config.read(0x06, 2)).toBe(0);
    expect(config.addCapability(9, Uint8Array.of(5, 0xcc, 0xdd), Uint8Array.of(0, 0x0f, 0))).toBe(
      0x40,
    );
    expect(config.addCapability(5, Uint8Array.of(0xee))).toBe(0x48);
    expect(config.read(0x06, 2)).toBe(0x0010);
    expect(config.read(0x34, 1)).toBe(0x40);
    config.write(0x40, 4, 0xffffffff);
    config.write(0x44, 4, 0xffffffff);
    config.write(0x48, 4, 0xffffffff);
    expect(bytes(config, 0x40, 0x4c)).toEqual([9, 0x48, 5, 0xcf, 0xdd, 0, 0, 0, 5, 0, 0xee, 0]);
  });

  it('refuses what does not fit', () => {
    const config = configSpace();
    config.addCapability(9, new Uint8Array(0xbe));
    expect(() => config.addCapability(9, new Uint8Array(1))).toThrowError(
      expect.objectContaining({ code: 'PCI_CAPABILITIES' }),
    );
    for (const bars of [
      [{ index: 0, size: 24 }],
      [{ index: 0, size: 8 }],
      [{ index: 6, size: 16 }],
      [
        { index: 0, size: 16 },
        { index: 0, size: 32 },
      ],
    ]) {
      expect(() => new PciConfigSpace(identity, bars)).toThrowError(
        expect.objectContaining({ code: 'PCI_BAR' }),
      );
    }
  });

  it('shows Interrupt Status, and keeps the other status bits', () => {
    const config = configSpace();
    config.addCapability(9, new Uint8Array(2));
    config.setInterruptStatus(true);
    expect(config.read(0x06, 2)).toBe(0x0018);
    config.setInterruptStatus(false);
    expect(config.read(0x06, 2)).toBe(0x0010);
  });

  it('reads 0 beyond its end and ignores writes there', () => {
    const config = configSpace();
    config.write(0xfe, 4, 0xffffffff);
    config.write(0x1000, 4, 0xffffffff);
    expect(config.read(0xfe, 4)).toBe(0);
    expect(config.read(0x1000, 4)).toBe(0);
  });
});
