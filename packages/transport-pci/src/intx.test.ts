import { describe, expect, it } from 'vitest';
import { PciConfigSpace } from './config-space.ts';
import { IntxLine } from './intx.ts';
import { RecordingHost } from './testing/recording-host.ts';

describe('IntxLine', () => {
  function setUp() {
    const ids = { vendorId: 1, deviceId: 2, revisionId: 0, classCode: 0 };
    const config = new PciConfigSpace(
      { ...ids, subsystemVendorId: 0, subsystemId: 0, interruptPin: 1 },
      [],
    );
    const line = new IntxLine(config);
    const host = new RecordingHost();
    line.setHost(host);
    return { config, line, host };
  }

  it('drives the line on changes only, and says so in Interrupt Status', () => {
    const { config, line, host } = setUp();
    line.update(true);
    line.update(true);
    expect(config.read(0x06, 2)).toBe(0x0008);
    line.update(false);
    line.update(false);
    expect(config.read(0x06, 2)).toBe(0);
    expect(host.intxLevels).toEqual([true, false]);
  });

  it('honours Interrupt Disable, which leaves Interrupt Status', () => {
    const { config, line, host } = setUp();
    config.write(0x04, 2, 0x0400);
    line.update(true);
    expect(host.intxLevels).toEqual([]);
    expect(config.read(0x06, 2)).toBe(0x0008);
    config.write(0x04, 2, 0);
    line.update(true);
    expect(host.intxLevels).toEqual([true]);
    config.write(0x04, 2, 0x0400);
    line.update(true);
    expect(host.intxLevels).toEqual([true, false]);
  });

  it('is deasserted for a new host', () => {
    const { line, host } = setUp();
    line.update(true);
    const next = new RecordingHost();
    line.setHost(next);
    line.update(true);
    expect([host.intxLevels, next.intxLevels]).toEqual([[true], [true]]);
  });
});
