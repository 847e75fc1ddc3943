/** What is set in the compiler of a real v86. */
import { expect, it } from 'vitest';
import { cpuOf, startEmulator } from './fixtures/machine.ts';
import { compileInSmallPieces } from './small-compilation.ts';

it('lets a function have one page of code, and few blocks more than were run', async () => {
  const emulator = await startEmulator();
  const { exports } = cpuOf(emulator).wm;
  const config = () => [0, 1, 2, 3].map((part) => exports.get_jit_config(part));
  expect(config()).toEqual([0, 3, 1, 250]);
  compileInSmallPieces(emulator);
  expect(config()).toEqual([0, 1, 1, 50]);
  await emulator.destroy();
});
