/** A VMM's loop: a virtio-iommu and a virtio-rng behind it as windows in the memory map, driven by the exits of a processor. */
import { VirtioEntropyDevice } from '@viommu/devices';
import { VirtioIommuDevice } from '@viommu/iommu-core';
import { simBackend } from '@viommu/pviommu-sim';
import { createVirtioMmioDevice, type MmioDevice } from '@viommu/transport-mmio';
import { ArrayGuestMemory } from '@viommu/virtqueue';

/** Why a processor stopped, as KVM_RUN tells it; yours is KVM's, an emulator's or WebAssembly's. */
export type Exit =
  | { readonly kind: 'read'; readonly address: number; readonly width: 1 | 2 | 4 }
  | {
      readonly kind: 'write';
      readonly address: number;
      readonly width: 1 | 2 | 4;
      readonly value: number;
    }
  | { readonly kind: 'off' };

export interface Processor {
  /** Goes on, with the value of the read that it stopped at. */
  run(value: number): Exit;
  setInterruptLine(line: number, asserted: boolean): void;
}

export const ram = new SharedArrayBuffer(16 << 20);
const memory = new ArrayGuestMemory([{ base: 0, buffer: ram }]);
/** Where the windows are, and what the IOMMU calls the rng. A guest learns it from `microvm-tables.ts`. */
export const [IOMMU_BASE, RNG_BASE, WINDOW, RNG] = [0xd000_0000, 0xd000_1000, 0x1000, 1] as const;

const iommu = new VirtioIommuDevice({ backend: simBackend(), endpoints: [{ id: RNG }] });
const rng = new VirtioEntropyDevice({ fillRandom: (bytes) => crypto.getRandomValues(bytes) });
const windows: readonly { readonly base: number; readonly device: MmioDevice }[] = [
  { base: IOMMU_BASE, device: createVirtioMmioDevice({ device: iommu }) },
  {
    base: RNG_BASE,
    // All that the rng reads and writes goes through the IOMMU: its rings, and the buffers in them.
    device: createVirtioMmioDevice({
      device: rng,
      memory: (guest) => iommu.endpointMemory(RNG, guest),
    }),
  },
];

/** Runs the guest until it turns itself off. */
export function runVmm(processor: Processor): void {
  for (const [line, { device }] of windows.entries()) {
    const setInterrupt = (asserted: boolean) => processor.setInterruptLine(line, asserted);
    device.connect({ memory, deassertWhenRead: false, setInterrupt });
  }
  let value = 0;
  for (;;) {
    const exit = processor.run(value);
    if (exit.kind === 'off') return;
    const window = windows.find(({ base }) => exit.address >= base && exit.address < base + WINDOW);
    const offset = window === undefined ? 0 : exit.address - window.base;
    if (exit.kind === 'read')
      value = window?.device.read(offset, exit.width) ?? 2 ** (8 * exit.width) - 1;
    else window?.device.write(offset, exit.width, exit.value);
    // Registers are answered at once; what a write asked for is done here, for each device in turn, until nothing is left.
    while (windows.map(({ device }) => device.service()).includes(true)) {}
  }
}
