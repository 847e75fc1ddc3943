import { expect, it } from 'vitest';
import { repairTable } from './acpi-repair.ts';

it('puts signature, length and checksum in place', () => {
  const bytes = new Uint8Array(40).fill(0x77);
  repairTable(bytes, 'VIOT');
  expect(String.fromCharCode(...bytes.subarray(0, 4))).toBe('VIOT');
  expect([...bytes.subarray(4, 8)]).toEqual([40, 0, 0, 0]);
  expect(bytes.reduce((sum, byte) => sum + byte, 0) % 256).toBe(0);
  expect([...bytes.subarray(10)]).toEqual(new Array(30).fill(0x77));
});

it('leaves alone what has no whole head', () => {
  const bytes = new Uint8Array(35).fill(0x77);
  repairTable(bytes, 'VIOT');
  expect(bytes.every((byte) => byte === 0x77)).toBe(true);
});
