/** startEmulator: a PC with the guest's parts in it, and with the devices of the page on its bus. */
import { compileInSmallPieces, HEADLESS_OPTIONS, V86Bus } from '@viommu/v86';
import { V86 } from 'v86';
import type { FetchedGuest } from './fetch-parts.ts';
import type { GuestMachine } from './guest-machine.ts';

/** The emulator puts the initial file system at 64 MiB. */
const MEMORY_BYTES = 128 << 20;
/** `tsc`: Linux would take the emulator's time stamp counter for unstable, and what it has besides for its clock is coarse. */
const COMMAND_LINE = 'console=ttyS0 loglevel=4 panic=-1 tsc=reliable iommu.strict=1';

export interface RunningEmulator {
  /** Keys for the serial port. */
  type(text: string): void;
  /** Has the devices work, for what comes from elsewhere than the guest. */
  service(): void;
}

/** @param onConsole told bytes of the serial port, those of one slice of the guest's time together */
export async function startEmulator(
  guest: FetchedGuest,
  machine: GuestMachine,
  onConsole: (bytes: Uint8Array) => void,
): Promise<RunningEmulator> {
  const emulator = new V86({
    ...HEADLESS_OPTIONS,
    wasm_fn: async (imports) =>
      (await WebAssembly.instantiate(guest.wasm, imports)).instance.exports,
    memory_size: MEMORY_BYTES,
    bios: { buffer: guest.bios },
    vga_bios: { buffer: guest.vgaBios },
    bzimage: { buffer: guest.kernel },
    initrd: { buffer: guest.initramfs },
    cmdline: COMMAND_LINE,
  });
  await new Promise<void>((resolve) => emulator.add_listener('emulator-ready', () => resolve()));
  compileInSmallPieces(emulator);
  const bus = new V86Bus(emulator);
  for (const { bdf, function: pci } of machine.functions) bus.plug(bdf, pci);
  bus.addAcpiTable('viot', machine.viot);
  emulator.add_listener('serial0-output-byte', gathered(onConsole));
  await emulator.run();
  return {
    type: (text) => emulator.serial0_send(text),
    service: () => bus.service(),
  };
}

function gathered(onBytes: (bytes: Uint8Array) => void): (byte: number) => void {
  let pending: number[] = [];
  return (byte) => {
    pending.push(byte);
    if (pending.length > 1) return;
    setTimeout(() => {
      onBytes(Uint8Array.from(pending));
      pending = [];
    }, 0);
  };
}
