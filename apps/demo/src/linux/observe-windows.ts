/** Finds where a guest's firmware puts the virtio-mmio windows: a table that names their addresses has to be there before it runs. */
import { CommandError } from '../command-error.ts';
import type { QemuProgram } from '../guest/qemu-program.ts';
import { runGuest } from '../guest/run-guest.ts';
import type { WindowsWatch } from './windows-watch.ts';

const PATIENCE_SECONDS = 60;

/**
 * Boots the machine until its firmware has placed every function with windows, and ends it. The same functions get the same
 * addresses the next time.
 *
 * @returns the address of each function's first window
 * @throws {CommandError} when the firmware does not place them
 */
export async function observeWindows(
  qemu: QemuProgram,
  args: readonly string[],
  watch: WindowsWatch,
): Promise<readonly number[]> {
  const placed = new AbortController();
  let addresses: readonly number[] = [];
  watch.whenPlaced(() => {
    if (addresses.length > 0) return;
    addresses = [...watch.addresses];
    placed.abort();
  });
  const { problem } = await runGuest({
    qemu,
    arguments: args,
    timeoutSeconds: PATIENCE_SECONDS,
    signal: placed.signal,
  });
  if (addresses.length > 0) return addresses;
  throw new CommandError(`the guest's firmware does not place the virtio-mmio windows: ${problem}`);
}
