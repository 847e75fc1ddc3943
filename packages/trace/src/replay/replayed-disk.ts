/** ReplayedDisk: a disk that holds what the trace says, and checks what is written to it. */
import type { MachineDisk } from '@viommu/machine';
import type { TracedDisk } from '../format/trace-events.ts';
import { crc32 } from '../memory/crc32.ts';
import { knownDisk } from '../memory/disk-content.ts';
import type { SparseBytes } from '../memory/sparse-bytes.ts';
import type { EffectScript } from './effect-script.ts';

export class ReplayedDisk implements MachineDisk {
  readonly size: number;
  readonly readOnly: boolean;
  readonly #disk: number;
  readonly #script: EffectScript;
  readonly #known: SparseBytes;

  constructor(traced: TracedDisk, disk: number, script: EffectScript, limit: number) {
    this.#disk = disk;
    this.#script = script;
    this.#known = knownDisk(traced.content, limit);
    this.size = traced.size;
    this.readOnly = traced.readOnly;
  }

  read(position: number, target: Uint8Array, targetOffset: number, length: number): void {
    const disk = this.#disk;
    const script = this.#script;
    const actual = () => `diskRead: disk ${disk}, position ${position}, length ${length}`;
    const effect = script.take(['diskRead', 'diskReadAgain', 'diskFailed'], actual);
    if (effect.kind === 'diskFailed') throw new Error(effect.message);
    const recorded = effect.kind === 'diskRead' ? effect.bytes.length : effect.length;
    if (effect.disk !== disk || effect.address !== position || recorded !== length) {
      script.diverge(
        `${effect.kind}: disk ${effect.disk}, position ${effect.address}, length ${recorded}`,
        actual(),
      );
    }
    if (effect.kind === 'diskRead') this.#known.write(position, effect.bytes, 0, length);
    this.#known.read(position, target, targetOffset, length);
  }

  write(position: number, source: Uint8Array, sourceOffset: number, length: number): void {
    this.#failIfRecorded();
    const sum = crc32(source, sourceOffset, length);
    this.#script.expect({ kind: 'diskWrite', disk: this.#disk, address: position, length, sum });
    this.#known.write(position, source, sourceOffset, length);
  }

  flush(): void {
    this.#failIfRecorded();
    this.#script.expect({ kind: 'diskFlush', disk: this.#disk });
  }

  close(): void {}

  #failIfRecorded(): void {
    const effect = this.#script.peek();
    if (effect?.kind !== 'diskFailed' || effect.disk !== this.#disk) return;
    this.#script.expect(effect);
    throw new Error(effect.message);
  }
}
