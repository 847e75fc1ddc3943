/** ReplayedMemory: a host's memory that gives what the trace says was there, and checks what is done with it. */
import {
  type MappedMemory,
  type MemoryRegion,
  WINDOW_DENIED,
  WINDOW_INVISIBLE,
} from '@viommu/virtqueue';
import { crc32 } from '../memory/crc32.ts';
import type { SparseBytes } from '../memory/sparse-bytes.ts';
import type { EffectScript } from './effect-script.ts';

export class ReplayedMemory implements MappedMemory {
  generation = 0;
  isShared = false;
  regions: readonly MemoryRegion[] = [];
  readonly #script: EffectScript;
  readonly #known: SparseBytes;

  constructor(script: EffectScript, known: SparseBytes) {
    this.#script = script;
    this.#known = known;
  }

  setRegions(regions: readonly MemoryRegion[], isShared: boolean): void {
    this.regions = regions;
    this.isShared = isShared;
    this.generation += 1;
  }

  window(address: number, _length: number, access: number): number {
    const region = this.regions.find(({ start, end }) => address >= start && address <= end);
    const isAllowed = region !== undefined && (region.access & access) === access;
    return isAllowed ? WINDOW_INVISIBLE : WINDOW_DENIED;
  }

  read(address: number, target: Uint8Array, targetOffset: number, length: number): boolean {
    const actual = () => `dmaRead: address 0x${address.toString(16)}, length ${length}`;
    const effect = this.#script.take(['dmaRead', 'dmaReadAgain', 'dmaReadDenied'], actual);
    const isRead = effect.kind === 'dmaRead';
    this.#check(effect, address, isRead ? effect.bytes.length : effect.length, length, actual);
    if (isRead) this.#known.write(address, effect.bytes, 0, length);
    if (effect.kind === 'dmaReadDenied') return false;
    this.#known.read(address, target, targetOffset, length);
    return true;
  }

  write(address: number, source: Uint8Array, sourceOffset: number, length: number): boolean {
    const actual = () => `dmaWrite: address 0x${address.toString(16)}, length ${length}`;
    const script = this.#script;
    const effect = script.take(['dmaWrite', 'dmaWriteSummed', 'dmaWriteDenied'], actual);
    const isWhole = effect.kind === 'dmaWrite';
    this.#check(effect, address, isWhole ? effect.bytes.length : effect.length, length, actual);
    if (effect.kind === 'dmaWriteDenied') return false;
    const isSame = isWhole
      ? effect.bytes.every((byte, index) => byte === source[sourceOffset + index])
      : effect.sum === crc32(source, sourceOffset, length);
    if (!isSame) script.diverge(`${actual()}`, 'the same with other bytes');
    this.#known.write(address, source, sourceOffset, length);
    return true;
  }

  #check(
    { kind, address }: { readonly kind: string; readonly address: number },
    actualAddress: number,
    length: number,
    actualLength: number,
    actual: () => string,
  ): void {
    if (address === actualAddress && length === actualLength) return;
    this.#script.diverge(`${kind}: address 0x${address.toString(16)}, length ${length}`, actual());
  }
}
