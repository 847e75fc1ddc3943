/** A Linux guest in v86 that is saved while its disk is at work, and goes on in another emulator, with other devices. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { MemoryDisk } from '@viommu/devices';
import { createMachine, machineTopology, standardMachine } from '@viommu/machine';
import { compileInSmallPieces, HEADLESS_OPTIONS, V86Bus } from '@viommu/v86';
import { makePageFolder, prepareV86Guest, v86GuestIsCached } from '@viommu/v86-guest';
import { writeViot } from '@viommu/viot';
import { V86 } from 'v86';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const require = createRequire(import.meta.url);
const DISK_BYTES = 8 << 20;
const MEMORY_BYTES = 128 << 20;
const SOON = { timeout: 240_000, interval: 20 };
/** Writes a file over and over, and reads it from the disk again. */
const WORK = [
  'head -c 1048576 /dev/urandom >/tmp/data',
  'sha256sum </tmp/data',
  'n=0; while [ $n -lt 30 ]; do n=$((n+1)); cp /tmp/data /disk/copy; sync; echo 3 >/proc/sys/vm/drop_caches; echo round $n $(sha256sum </disk/copy); done',
].join('; ');

const contentOf = (bytes: Buffer): { buffer: ArrayBuffer } => ({
  buffer: new Uint8Array(bytes).buffer,
});

/** In CI it must run, and the kernel is built before it; elsewhere the cache decides. */
const isReady = Boolean(process.env.CI) || v86GuestIsCached();

describe.runIf(isReady)('a guest whose state is saved', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'viommu-saved-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function createGuest(disk: Uint8Array) {
    const parts = await prepareV86Guest();
    const description = standardMachine({ disks: ['the disk of the test'] });
    const machine = createMachine(description, {
      parts: {
        openDisk: () => Object.assign(new MemoryDisk(disk), { close() {} }),
        openNetwork() {
          throw new Error('there is no network');
        },
        fillRandom: (bytes) => bytes.fill(7),
      },
    });
    const emulator = new V86({
      ...HEADLESS_OPTIONS,
      wasm_path: require.resolve('v86/build/v86.wasm'),
      memory_size: MEMORY_BYTES,
      bios: contentOf(readFileSync(parts.bios)),
      vga_bios: contentOf(readFileSync(parts.vgaBios)),
      bzimage: contentOf(readFileSync(parts.kernel)),
      initrd: contentOf(gunzipSync(readFileSync(join(folder, 'guest/initramfs.gz')))),
      cmdline: 'console=ttyS0 loglevel=4 panic=-1 tsc=reliable iommu.strict=1',
    });
    await new Promise<void>((resolve) => emulator.add_listener('emulator-ready', () => resolve()));
    compileInSmallPieces(emulator);
    const bus = new V86Bus(emulator);
    for (const { bdf, function: pci } of machine.functions) bus.plug(bdf, pci);
    bus.addAcpiTable('viot', writeViot(machineTopology(description, [])));
    let text = '';
    emulator.add_listener('serial0-output-byte', (byte: number) => {
      text += String.fromCharCode(byte);
    });
    return { emulator, device: machine.iommus[0]!.device, text: () => text };
  }

  it('goes on in the middle of its work, with nothing lost', async () => {
    const web = dirname(require.resolve('@viommu/web/package.json'));
    makePageFolder(await prepareV86Guest(), join(web, 'guest'), join(folder, 'guest'));
    const disk = new Uint8Array(DISK_BYTES);
    const first = await createGuest(disk);
    await first.emulator.run();
    await expect.poll(first.text, SOON).toContain('Type, or press');
    first.emulator.serial0_send(`${WORK}\n`);
    await expect.poll(first.text, SOON).toContain('round 3 ');
    await first.emulator.stop();
    const state = await first.emulator.save_state();
    const before = {
      attachments: first.device.attachments(),
      mappings: first.device.mappingCount,
    };
    const hash = /^([\da-f]{64}) /m.exec(first.text())![1]!;
    const told = first.text().length;
    expect(before.mappings).toBeGreaterThan(0);
    await first.emulator.destroy();

    const second = await createGuest(Uint8Array.from(disk));
    await second.emulator.restore_state(state);
    expect(second.device.attachments()).toEqual(before.attachments);
    expect(second.device.mappingCount).toBe(before.mappings);
    await second.emulator.run();
    await expect.poll(second.text, SOON).toContain('round 30 ');
    await second.emulator.stop();
    const rounds = `${first.text().slice(0, told)}${second.text()}`.matchAll(
      /round (\d+) ([\da-f]{64}) /g,
    );
    const seen = new Map([...rounds].map(([, round, sum]) => [Number(round), sum]));
    expect([...seen.values()]).toEqual(new Array(30).fill(hash));
    expect(second.device.counters.faults).toBe(0);
    await second.emulator.destroy();
  });
});
