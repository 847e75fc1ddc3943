import { expect, it } from 'vitest';
import { ArrayGuestMemory } from './array-guest-memory.ts';

it('lists its regions in order, ends inclusive', () => {
  const memory = new ArrayGuestMemory([
    { base: 0x8000, buffer: new ArrayBuffer(0x2000), access: 1 },
    { base: 0x1000, buffer: new ArrayBuffer(0x4000), offset: 0x1000, length: 0x1000 },
  ]);
  expect(memory.regions).toEqual([
    { start: 0x1000, end: 0x1fff, access: 3 },
    { start: 0x8000, end: 0x9fff, access: 1 },
  ]);
  memory.setRegions([]);
  expect(memory.regions).toEqual([]);
});
