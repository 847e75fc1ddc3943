import { expect, it } from 'vitest';
import type { DriverTransport } from './driver-transport.ts';
import { readStableConfig } from './read-stable-config.ts';

it('reads again for as long as the configuration changes meanwhile', () => {
  // Before and after each reading: changed twice, then not.
  const generations = [1, 2, 2, 3, 3, 3];
  const transport: Partial<DriverTransport> = { readConfigGeneration: () => generations.shift()! };
  let reads = 0;
  const read = () => {
    reads += 1;
    return reads;
  };
  expect(readStableConfig(transport as DriverTransport, read)).toBe(3);
  expect(generations).toEqual([]);
});
