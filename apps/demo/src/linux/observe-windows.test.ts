/** Where the windows are, as the server hears of it while a script in the place of QEMU runs. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { observeWindows } from './observe-windows.ts';
import { WindowsWatch } from './windows-watch.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function qemu(script: string) {
  const command = join(folder, 'qemu');
  writeFileSync(command, `#!/bin/sh\n${script}\n`);
  chmodSync(command, 0o755);
  return { command, arguments: [], environment: {}, version: '10.1.0' };
}

const placed = (windows: number, address: number) =>
  ({ type: 'windowsAddress', windows, address }) as const;

it('ends the machine when every function has an address, and says which', async () => {
  const watch = new WindowsWatch(2);
  const observed = observeWindows(qemu('exec sleep 30'), [], watch);
  watch.see({ type: 'log', level: 'info', message: 'connected' });
  watch.see(placed(0, 0xfebf_c000));
  watch.see(placed(0, 0));
  watch.see(placed(1, 0xfebf_b000));
  expect(watch.isPlaced).toBe(false);
  watch.see(placed(0, 0xfebf_d000));
  // What the end of the machine, or the next one, does to them is another matter.
  watch.see(placed(1, 0));
  expect(await observed).toEqual([0xfebf_d000, 0xfebf_b000]);
});

it('says why there are none when the machine ends first', async () => {
  const observed = observeWindows(qemu('exit 1'), [], new WindowsWatch(1));
  await expect(observed).rejects.toThrow(
    "the guest's firmware does not place the virtio-mmio windows: QEMU ended with exit code 1",
  );
});
