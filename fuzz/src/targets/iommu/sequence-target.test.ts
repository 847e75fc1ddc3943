import { describe, expect, it } from 'vitest';
import { SETUPS } from './iommu-setups.ts';
import { SequenceTarget } from './sequence-target.ts';

/** The longest sequence: some three thousand operations. */
const LONGEST = 0xffff;

/** As a finding would be saved: `pnpm fuzz sequence --input FILE` with these bytes in hexadecimal does the same. */
function sequence(setup: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(7);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, seed, true);
  view.setUint16(4, LONGEST, true);
  view.setUint8(6, setup);
  return bytes;
}

describe.each(SETUPS.map((_, index) => index))('setup %i', (setup) => {
  it.each([1, 2, 3, 4])('the device does what the model says, from seed %i on', (seed) => {
    const outcome = new SequenceTarget().run(sequence(setup, seed));
    // Success, INVAL, RANGE and NOENT are among the answers: bit 0 is for none.
    expect(outcome & 0b1110_0010).toBe(0b1010_0010 | (outcome & 0b0100_0000));
  });
});
