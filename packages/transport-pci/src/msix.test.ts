import { beforeEach, describe, expect, it } from 'vitest';
import { PciConfigSpace } from './config-space.ts';
import { Msix, msixBar } from './msix.ts';
import { RecordingHost } from './testing/recording-host.ts';

// Offsets in the capability at 0x40, and in the BAR for up to 128 vectors.
const CONTROL = 0x42;
const PBA = 0x800;
const entry = (vector: number) => 16 * vector;

function configSpace(): PciConfigSpace {
  const ids = { vendorId: 1, deviceId: 2, revisionId: 0, classCode: 0 };
  return new PciConfigSpace({ ...ids, subsystemVendorId: 0, subsystemId: 0, interruptPin: 0 }, []);
}

describe('Msix', () => {
  let config: PciConfigSpace;
  let msix: Msix;
  let host: RecordingHost;

  beforeEach(() => {
    config = configSpace();
    msix = new Msix(config, 1, 3);
    host = new RecordingHost();
    msix.setHost(host);
  });

  function control(value: number) {
    config.write(CONTROL, 2, value);
    msix.controlChanged();
  }

  function program(vector: number, address: number, data: number, mask = 0) {
    msix.writeBar(entry(vector), 4, address % 2 ** 32);
    msix.writeBar(entry(vector) + 4, 4, Math.floor(address / 2 ** 32));
    msix.writeBar(entry(vector) + 8, 4, data);
    msix.writeBar(entry(vector) + 12, 4, mask);
  }

  it('has a capability with table and pending bits in its BAR', () => {
    expect(msixBar(1, 3)).toEqual({ index: 1, size: 0x1000 });
    const capability = Array.from({ length: 12 }, (_, at) => config.read(0x40 + at, 1));
    expect(capability).toEqual([0x11, 0, 2, 0, 0x01, 0, 0, 0, 0x01, 0x08, 0, 0]);
  });

  it('lets the guest write enable and function mask only', () => {
    config.write(0x40, 4, 0xffffffff);
    config.write(0x44, 4, 0xffffffff);
    config.write(0x48, 4, 0xffffffff);
    expect(config.read(0x40, 4)).toBe(0xc0020011);
    expect(config.read(0x44, 4)).toBe(0x00000001);
    expect(config.read(0x48, 4)).toBe(0x00000801);
  });

  it('sends address and data of the entry', () => {
    control(0x8000);
    program(2, 0x1_fee0_1000, 0x4042);
    msix.trigger(2);
    expect(host.messages).toEqual([[2, 0x1_fee0_1000, 0x4042]]);
  });

  it('sends nothing while disabled, or for a vector it does not have', () => {
    program(0, 0xfee00000, 1);
    msix.trigger(0);
    control(0x8000);
    msix.trigger(3);
    expect(host.messages).toEqual([]);
    expect(msix.readBar(PBA, 4)).toBe(0);
  });

  it('starts with every vector masked', () => {
    control(0x8000);
    msix.trigger(1);
    expect(host.messages).toEqual([]);
    expect(msix.readBar(entry(1) + 12, 4)).toBe(1);
    expect(msix.readBar(PBA, 4)).toBe(0b010);
  });

  it('sends a pending message once, when its vector is unmasked', () => {
    control(0x8000);
    msix.trigger(1);
    msix.trigger(1);
    program(1, 0xfee00000, 7);
    expect(host.messages).toEqual([[1, 0xfee00000, 7]]);
    expect(msix.readBar(PBA, 4)).toBe(0);
    program(1, 0xfee00000, 7, 1);
    program(1, 0xfee00000, 7, 0);
    expect(host.messages.length).toBe(1);
  });

  it('sends pending messages when the function mask goes', () => {
    program(0, 0xfee00000, 10);
    program(1, 0xfee00000, 11);
    control(0xc000);
    msix.trigger(1);
    msix.trigger(2);
    expect(host.messages).toEqual([]);
    expect(msix.readBar(PBA, 1)).toBe(0b110);
    control(0x8000);
    expect(host.messages).toEqual([[1, 0xfee00000, 11]]);
    expect(msix.readBar(PBA, 1)).toBe(0b100);
  });

  it('keeps reserved bits of the table 0, and the pending bits read-only', () => {
    for (let at = 0; at < 16; at++) msix.writeBar(at, 1, 0xff);
    expect([0, 4, 8, 12].map((at) => msix.readBar(at, 4))).toEqual([
      0xfffffffc, 0xffffffff, 0xffffffff, 1,
    ]);
    msix.writeBar(PBA, 4, 0xffffffff);
    expect(msix.readBar(PBA, 4)).toBe(0);
    msix.writeBar(entry(3), 4, 0xffffffff);
    expect(msix.readBar(entry(3), 4)).toBe(0);
  });

  it('takes accesses across entries', () => {
    control(0x8000);
    program(0, 0xfee00000, 1, 1);
    program(1, 0xfee01000, 2, 1);
    msix.trigger(0);
    msix.writeBar(entry(1) - 4, 4, 0);
    expect(host.messages).toEqual([[0, 0xfee00000, 1]]);
    expect(msix.readBar(entry(1) - 2, 4)).toBe(0x10000000);
  });

  it('leaves table and masks to a host that owns them', () => {
    host = new RecordingHost({ ownsMsixTable: true });
    msix.setHost(host);
    msix.trigger(2);
    expect(host.messages).toEqual([]);
    control(0xc000);
    msix.trigger(2);
    expect(host.messages).toEqual([[2, 0, 0]]);
    expect(msix.readBar(PBA, 4)).toBe(0);
  });

  it('forgets table and pending bits on reset', () => {
    control(0x8000);
    program(0, 0xfee00000, 1);
    msix.trigger(1);
    msix.reset();
    expect(msix.readBar(0, 4)).toBe(0);
    expect(msix.readBar(12, 4)).toBe(1);
    expect(msix.readBar(PBA, 4)).toBe(0);
  });

  it('finds room for 2048 vectors and no more', () => {
    expect(msixBar(1, 128).size).toBe(0x1000);
    expect(msixBar(1, 129).size).toBe(0x2000);
    expect(msixBar(1, 2048).size).toBe(0x10000);
    const many = configSpace();
    const table = new Msix(many, 2, 2048);
    expect(many.read(0x42, 2)).toBe(0x07ff);
    expect(many.read(0x48, 4)).toBe(0x8002);
    table.setHost(host);
    many.write(0x42, 2, 0x8000);
    table.trigger(2047);
    expect(table.readBar(0x8000 + 255, 1)).toBe(0x80);
    for (const vectors of [0, 2049, 1.5]) {
      expect(() => new Msix(configSpace(), 1, vectors)).toThrowError(
        expect.objectContaining({ code: 'MSIX_VECTORS' }),
      );
    }
  });
});
