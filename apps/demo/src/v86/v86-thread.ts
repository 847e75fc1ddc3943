/** The thread of `viommu linux --vmm v86`: the emulator and the device models, all in JavaScript and WebAssembly. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { compileInSmallPieces, HEADLESS_OPTIONS, V86Bus } from '@viommu/v86';
import { V86 } from 'v86';
import { messageOf } from '../command-error.ts';
import { observeMachine } from '../server/observed-machine.ts';
import { postingLogger } from '../server/posting-logger.ts';
import { FirmwareTables } from './firmware-tables.ts';
import { SourcePoll } from './source-poll.ts';
import type { V86Message, V86Settings } from './v86-messages.ts';

/** How often the network and the page are looked at, in milliseconds: between two slices of the emulator. */
const SOURCES_INTERVAL = 1;

const settings = workerData as V86Settings;

function post(message: V86Message): void {
  parentPort?.postMessage(message);
}

async function run(): Promise<void> {
  const firmware = new FirmwareTables(settings.machine);
  const observed = observeMachine(settings, {
    post(message) {
      if (message.type !== 'watched') firmware.see(message);
      post(message);
    },
    logger: postingLogger(post),
  });
  try {
    const emulator = new V86({
      ...HEADLESS_OPTIONS,
      wasm_path: createRequire(import.meta.url).resolve('v86/build/v86.wasm'),
      memory_size: settings.memoryMebibytes << 20,
      bios: contentOf(settings.bios),
      vga_bios: contentOf(settings.vgaBios),
      bzimage: contentOf(settings.kernel),
      initrd: contentOf(settings.initramfs),
      cmdline: settings.commandLine,
    });
    await new Promise<void>((resolve) => emulator.add_listener('emulator-ready', () => resolve()));
    compileInSmallPieces(emulator);
    const bus = new V86Bus(emulator);
    for (const { bdf, function: pci } of observed.functions) bus.plug(bdf, pci);
    for (const { name, bytes } of firmware.tables) bus.addAcpiTable(name, bytes);
    emulator.add_listener('serial0-output-byte', sendConsole());
    const sources = new SourcePoll(observed.sources);
    const timer = setInterval(() => {
      sources.poll();
      bus.service();
    }, SOURCES_INTERVAL);
    await emulator.run();
    await new Promise((resolve) => parentPort!.once('message', resolve));
    clearInterval(timer);
    sources.close();
    await emulator.stop();
    const statistics = observed.finish();
    for (const { function: pci } of observed.functions) pci.disconnect();
    observed.end();
    post({ type: 'stopped', statistics });
    await emulator.destroy();
  } finally {
    observed.close();
  }
}

/** Bytes are sent together: what comes in one go of the emulator. */
function sendConsole(): (byte: number) => void {
  let pending: number[] = [];
  return (byte) => {
    pending.push(byte);
    if (pending.length > 1) return;
    setImmediate(() => {
      post({ type: 'console', bytes: Uint8Array.from(pending) });
      pending = [];
    });
  };
}

function contentOf(path: string): { buffer: ArrayBuffer } {
  const bytes = readFileSync(path);
  return { buffer: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) };
}

run().catch((error: unknown) => post({ type: 'failed', message: messageOf(error) }));
