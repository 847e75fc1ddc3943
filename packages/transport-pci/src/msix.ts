/** Msix: the MSI-X capability of a function, its table and its pending bit array in a BAR of their own. */
import { type AccessWidth, VirtioError } from '@viommu/virtqueue';
import { type SnapshotReader, toHex } from '@viommu/virtqueue/snapshot';
import type { PciConfigSpace } from './config-space.ts';
import {
  PCI_CAP_ID_MSIX,
  PCI_MSIX_CAPABILITY_SIZE,
  PCI_MSIX_ENTRY_CTRL_MASKBIT,
  PCI_MSIX_ENTRY_DATA,
  PCI_MSIX_ENTRY_LOWER_ADDR,
  PCI_MSIX_ENTRY_SIZE,
  PCI_MSIX_ENTRY_UPPER_ADDR,
  PCI_MSIX_ENTRY_VECTOR_CTRL,
  PCI_MSIX_FLAGS,
  PCI_MSIX_FLAGS_ENABLE,
  PCI_MSIX_FLAGS_MASKALL,
  PCI_MSIX_PBA,
  PCI_MSIX_TABLE,
} from './pci-constants.ts';
import type { PciBar, PciHost } from './pci-function.ts';

/** The most vectors that an MSI-X table can have. */
const PCI_MSIX_MAX_VECTORS = 2048;

const SMALLEST_HALF = 2048;
const TWO_TO_32 = 2 ** 32;
/** By byte of a table entry, the bits that can be written: addresses are dword-aligned, of Vector Control only the mask. */
const ENTRY_WRITABLE = [0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];

/** The BAR that `Msix` needs for so many vectors: 4 KiB up to 128 of them. */
export function msixBar(index: number, vectors: number): PciBar {
  return { index, size: 2 * halfSize(vectors) };
}

/** The table fills the lower half of the BAR, the pending bit array begins the upper one. */
function halfSize(vectors: number): number {
  let size = SMALLEST_HALF;
  while (size < vectors * PCI_MSIX_ENTRY_SIZE) size *= 2;
  return size;
}

export interface MsixSnapshot {
  /** Its bytes, as text. */
  readonly table: string;
  /** The pending bit array, as text. */
  readonly pending: string;
}

export class Msix {
  readonly vectors: number;
  readonly #config: PciConfigSpace;
  readonly #capability: number;
  readonly #table: Uint8Array;
  readonly #tableView: DataView;
  readonly #pbaOffset: number;
  readonly #pending: Uint8Array;
  #host: PciHost | undefined;

  /**
   * Adds the capability to `config`, with table and pending bits in the BAR that {@link msixBar} describes.
   *
   * @throws VirtioError `MSIX_VECTORS` when `vectors` is not between 1 and 2048
   */
  constructor(config: PciConfigSpace, barIndex: number, vectors: number) {
    if (!Number.isInteger(vectors) || vectors < 1 || vectors > PCI_MSIX_MAX_VECTORS) {
      throw new VirtioError('MSIX_VECTORS', `${vectors} MSI-X vectors: choose 1 to 2048`);
    }
    this.vectors = vectors;
    this.#config = config;
    this.#table = new Uint8Array(vectors * PCI_MSIX_ENTRY_SIZE);
    this.#tableView = new DataView(this.#table.buffer);
    this.#pbaOffset = halfSize(vectors);
    // The array is read in quadwords.
    this.#pending = new Uint8Array(8 * Math.ceil(vectors / 64));

    const capability = new Uint8Array(PCI_MSIX_CAPABILITY_SIZE);
    const fields = new DataView(capability.buffer);
    fields.setUint16(PCI_MSIX_FLAGS, vectors - 1, true);
    fields.setUint32(PCI_MSIX_TABLE, barIndex, true);
    fields.setUint32(PCI_MSIX_PBA, this.#pbaOffset | barIndex, true);
    const writable = new Uint8Array(PCI_MSIX_CAPABILITY_SIZE);
    new DataView(writable.buffer).setUint16(
      PCI_MSIX_FLAGS,
      PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL,
      true,
    );
    this.#capability = config.addCapability(
      PCI_CAP_ID_MSIX,
      capability.subarray(2),
      writable.subarray(2),
    );
    this.reset();
  }

  /** MSI-X Enable: interrupts are messages, and INTx is not used. */
  get enabled(): boolean {
    return (this.#control & PCI_MSIX_FLAGS_ENABLE) !== 0;
  }

  /** Where messages go; undefined while unplugged. */
  setHost(host: PciHost | undefined): void {
    this.#host = host;
  }

  /** As after power-on: every vector masked, nothing pending. Message Control is reset with configuration space. */
  reset(): void {
    this.#table.fill(0);
    for (let vector = 0; vector < this.vectors; vector++) {
      this.#tableView.setUint32(entryField(vector, PCI_MSIX_ENTRY_VECTOR_CTRL), 1, true);
    }
    this.clearPending();
  }

  /** Forgets messages that wait for a mask to go: what they told of is gone. */
  clearPending(): void {
    this.#pending.fill(0);
  }

  snapshot(): MsixSnapshot {
    return { table: toHex(this.#table), pending: toHex(this.#pending) };
  }

  /** @returns what brings it back, after configuration space @throws VirtioError `SNAPSHOT` */
  prepareRestore(snapshot: SnapshotReader): () => void {
    const reader = snapshot.field('table');
    const table = reader.bytes(this.#table.length);
    const pending = snapshot.field('pending').bytes(this.#pending.length);
    const isWritable = (byte: number, offset: number) =>
      (byte & ~(ENTRY_WRITABLE[offset % PCI_MSIX_ENTRY_SIZE] ?? 0)) === 0;
    if (!table.every(isWritable)) reader.refuse('has bits that no driver can set');
    return () => {
      this.#table.set(table);
      this.#pending.set(pending);
    };
  }

  /** Sends the message of a vector, or notes it as pending while masked. Does nothing while MSI-X is disabled. */
  trigger(vector: number): void {
    if (!this.enabled || vector >= this.vectors || this.#host === undefined) return;
    if (this.#host.ownsMsixTable) {
      this.#host.signalMsix(vector, 0, 0);
    } else if (this.#isMasked(vector)) {
      this.#setPending(vector, true);
    } else {
      this.#send(this.#host, vector);
    }
  }

  /** To be called when configuration space was written: the function mask may be gone. */
  controlChanged(): void {
    for (let vector = 0; vector < this.vectors; vector++) this.#sendPending(vector);
  }

  readBar(offset: number, width: AccessWidth): number {
    let value = 0;
    for (let byte = 0; byte < width; byte++) value |= this.#readByte(offset + byte) << (8 * byte);
    return value >>> 0;
  }

  /** The pending bit array is read-only. */
  writeBar(offset: number, width: AccessWidth, value: number): void {
    for (let byte = 0; byte < width; byte++) {
      const position = offset + byte;
      const mask = ENTRY_WRITABLE[position % PCI_MSIX_ENTRY_SIZE] ?? 0;
      const kept = (this.#table[position] ?? 0) & ~mask;
      this.#table[position] = kept | ((value >>> (8 * byte)) & mask);
    }
    // An access that reaches into the next entry ends before that entry's Vector Control.
    this.#sendPending(Math.floor(offset / PCI_MSIX_ENTRY_SIZE));
  }

  get #control(): number {
    return this.#config.view.getUint16(this.#capability + PCI_MSIX_FLAGS, true);
  }

  #isMasked(vector: number): boolean {
    if ((this.#control & PCI_MSIX_FLAGS_MASKALL) !== 0) return true;
    const vectorControl = this.#table[entryField(vector, PCI_MSIX_ENTRY_VECTOR_CTRL)] ?? 1;
    return (vectorControl & PCI_MSIX_ENTRY_CTRL_MASKBIT) !== 0;
  }

  #isPending(vector: number): boolean {
    return ((this.#pending[vector >>> 3] ?? 0) & (1 << (vector & 7))) !== 0;
  }

  #setPending(vector: number, pending: boolean): void {
    const bit = 1 << (vector & 7);
    const others = (this.#pending[vector >>> 3] ?? 0) & ~bit;
    this.#pending[vector >>> 3] = pending ? others | bit : others;
  }

  #sendPending(vector: number): void {
    if (!this.enabled || this.#host === undefined) return;
    if (!this.#isPending(vector) || this.#isMasked(vector)) return;
    this.#setPending(vector, false);
    this.#send(this.#host, vector);
  }

  #send(host: PciHost, vector: number): void {
    const low = this.#tableView.getUint32(entryField(vector, PCI_MSIX_ENTRY_LOWER_ADDR), true);
    const high = this.#tableView.getUint32(entryField(vector, PCI_MSIX_ENTRY_UPPER_ADDR), true);
    const data = this.#tableView.getUint32(entryField(vector, PCI_MSIX_ENTRY_DATA), true);
    host.signalMsix(vector, Math.min(high * TWO_TO_32 + low, Number.MAX_SAFE_INTEGER), data);
  }

  #readByte(offset: number): number {
    return this.#table[offset] ?? this.#pending[offset - this.#pbaOffset] ?? 0;
  }
}

function entryField(vector: number, field: number): number {
  return vector * PCI_MSIX_ENTRY_SIZE + field;
}
