/** RecordedDisk: a disk of which all that is read and written is noted. */
import type { MachineDisk } from '@viommu/machine';
import type { DiskContent } from '../format/trace-events.ts';
import { crc32 } from '../memory/crc32.ts';
import { knownDisk } from '../memory/disk-content.ts';
import type { SparseBytes } from '../memory/sparse-bytes.ts';
import type { EffectLog } from './effect-log.ts';

export class RecordedDisk implements MachineDisk {
  readonly size: number;
  readonly readOnly: boolean;
  readonly #disk: MachineDisk;
  readonly #index: number;
  readonly #log: EffectLog;
  readonly #known: SparseBytes;

  constructor(disk: MachineDisk, index: number, content: DiskContent, log: EffectLog) {
    this.#disk = disk;
    this.#index = index;
    this.#log = log;
    this.#known = knownDisk(content);
    this.size = disk.size;
    this.readOnly = disk.readOnly;
  }

  read(position: number, target: Uint8Array, targetOffset: number, length: number): void {
    this.#noteFailure(() => this.#disk.read(position, target, targetOffset, length));
    const where = { disk: this.#index, address: position };
    if (this.#known.has(position, target, targetOffset, length)) {
      this.#log.effect({ kind: 'diskReadAgain', ...where, length });
      return;
    }
    const bytes = target.slice(targetOffset, targetOffset + length);
    this.#known.write(position, bytes, 0, length);
    this.#log.effect({ kind: 'diskRead', ...where, bytes });
  }

  write(position: number, source: Uint8Array, sourceOffset: number, length: number): void {
    // Memory of a guest can change meanwhile: what is noted is what is written.
    const bytes = source.slice(sourceOffset, sourceOffset + length);
    this.#noteFailure(() => this.#disk.write(position, bytes, 0, length));
    this.#known.write(position, bytes, 0, length);
    const sum = crc32(bytes);
    this.#log.effect({ kind: 'diskWrite', disk: this.#index, address: position, length, sum });
  }

  flush(): void {
    this.#noteFailure(() => this.#disk.flush());
    this.#log.effect({ kind: 'diskFlush', disk: this.#index });
  }

  close(): void {
    this.#disk.close();
  }

  #noteFailure(access: () => void): void {
    try {
      access();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#log.effect({ kind: 'diskFailed', disk: this.#index, message });
      throw error;
    }
  }
}
