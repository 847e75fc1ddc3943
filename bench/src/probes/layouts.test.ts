/** Layouts have as many mappings as they say, all different, and all where a mapping can be. */
import { expect, it } from 'vitest';
import { createLayout, SPARSE_LAYOUTS } from './layouts.ts';

const COUNT = 1024;

it.each(['dense', ...SPARSE_LAYOUTS])('%s leaves 1024 pages mapped', (name) => {
  const { mapped, unmapped } = createLayout(name, COUNT);
  const resident = new Set(mapped);
  expect(resident.size).toBe(mapped.length);
  for (const address of unmapped) expect(resident.delete(address)).toBe(true);
  expect(resident.size).toBe(COUNT);
  for (const address of resident) {
    expect(address % 4096).toBe(0);
    expect(address).toBeGreaterThanOrEqual(0);
  }
});

it.each(SPARSE_LAYOUTS)('%s stays within 48 bits at full size', (name) => {
  const { mapped } = createLayout(name, 2 ** 18);
  expect(mapped.reduce((most, address) => Math.max(most, address))).toBeLessThan(2 ** 48);
});

it('knows no other', () => {
  expect(() => createLayout('heaped', COUNT)).toThrow('unknown layout heaped');
});
