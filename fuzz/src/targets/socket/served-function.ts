/** ServedFunction: a PCI function with registers that its client alone writes, and memory accesses when it is told to. */
import type { PciFunction, PciHost } from '@viommu/transport-pci';
import { type AccessWidth, createMemoryWindow } from '@viommu/virtqueue';
import { violated } from '../../engine/invariant.ts';
import { REGISTERS } from '../../models/vfio-user-function.ts';

const CONFIG = 7;

/** What to do at the next turn. */
export interface DmaOrder {
  /** To read into, or to write from. */
  readonly bytes: Uint8Array;
  readonly address: number;
  /** To read, to write, or to look through a window. */
  readonly kind: 'read' | 'write' | 'window';
}

export class ServedFunction implements PciFunction {
  readonly bars = [0, 2].map((index) => ({ index, size: REGISTERS.sizes.get(index)! }));
  readonly msixVectors = 4;
  readonly interruptPin = 1;
  readonly registers = new Map(
    [...REGISTERS.sizes].map(([at, size]) => [at, new Uint8Array(size)]),
  );
  host: PciHost | undefined;
  order: DmaOrder | undefined;
  /** What came of the last order: bytes that were read, written or shown, or -1 when it was denied. */
  done = 0;
  /** Since the registers were reset last. */
  accesses = 0;
  readonly #window = createMemoryWindow();

  readConfig(offset: number, width: AccessWidth): number {
    return this.readBar(CONFIG, offset, width);
  }

  writeConfig(offset: number, width: AccessWidth, value: number): void {
    this.writeBar(CONFIG, offset, width, value);
  }

  readBar(bar: number, offset: number, width: AccessWidth): number {
    const bytes = this.#bytesOf(bar, offset, width);
    let value = 0;
    for (let byte = width - 1; byte >= 0; byte -= 1) value = value * 256 + bytes[offset + byte]!;
    return value;
  }

  writeBar(bar: number, offset: number, width: AccessWidth, value: number): void {
    const bytes = this.#bytesOf(bar, offset, width);
    if (bar === 0 && offset === REGISTERS.fail) throw new Error('a function that fails');
    for (let byte = 0; byte < width; byte += 1) bytes[offset + byte] = value >>> (8 * byte);
    if (bar === 0 && offset === REGISTERS.signal) this.host!.signalMsix(value & 7, 0, 0);
    if (bar === 0 && offset === REGISTERS.level) this.host!.setIntx((value & 1) !== 0);
  }

  connect(host: PciHost): void {
    if (this.host !== undefined) violated('a function is plugged in twice');
    this.host = host;
  }

  disconnect(): void {
    if (this.host === undefined) violated('a function is unplugged that is not plugged in');
    this.host = undefined;
    this.order = undefined;
    this.reset();
  }

  reset(): void {
    for (const bytes of this.registers.values()) bytes.fill(0);
    this.accesses = 0;
  }

  service(): boolean {
    const { order, host } = this;
    if (order === undefined) return false;
    this.order = undefined;
    const { bytes, address, kind } = order;
    const { memory } = host!;
    if (kind === 'window') this.done = memory.window(address, bytes.length, 1, this.#window);
    else this.done = memory[kind](address, bytes, 0, bytes.length) ? bytes.length : -1;
    if (kind === 'window' && this.done > 0) {
      const { bytes: shown, offset } = this.#window;
      bytes.set(shown.subarray(offset, offset + this.done));
    }
    return false;
  }

  #bytesOf(bar: number, offset: number, width: AccessWidth): Uint8Array {
    if (this.host === undefined) violated('registers are accessed of a function that is unplugged');
    const bytes = this.registers.get(bar);
    if (bytes === undefined || offset < 0 || offset + width > bytes.length) {
      violated(`${width} bytes are accessed at ${offset} of BAR ${bar}`);
    }
    this.accesses += 1;
    return bytes;
  }
}
