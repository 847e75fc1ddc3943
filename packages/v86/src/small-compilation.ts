/** compileInSmallPieces: what v86 makes of the guest's code is small. */
import { findCpu, type V86Emulator } from './v86-internals.ts';

/** Parts of what v86's compiler is told: the pages that the code of one function may come from, and its blocks beyond those that were run. */
const MAX_PAGES = 1;
const MAX_EXTRA_BASIC_BLOCKS = 3;
const EXTRA_BLOCKS = 50;

/**
 * Before the guest starts. v86 makes WebAssembly of the guest's code, and the engine compiles and optimises that on threads of its own:
 * functions of three pages, as v86 makes them by itself, take more than the time they save, and leave a machine with few processors
 * little for anything else.
 *
 * @param emulator made with `autostart: false`, once it has told `emulator-ready`
 * @throws V86Error `INTERNALS` when this is another v86 than the one that the package is made for
 */
export function compileInSmallPieces(emulator: V86Emulator): void {
  const cpu = findCpu(emulator);
  cpu.set_jit_config(MAX_PAGES, 1);
  cpu.set_jit_config(MAX_EXTRA_BASIC_BLOCKS, EXTRA_BLOCKS);
}
