/** RecordedFunction: a PCI function of which every access, service and interrupt is written down. */
import type { PciFunction, PciHost } from '@viommu/transport-pci';
import type { AccessWidth } from '@viommu/virtqueue';
import type { SparseBytes } from '../memory/sparse-bytes.ts';
import type { EffectLog } from './effect-log.ts';
import { RecordedMemory } from './recorded-memory.ts';

export class RecordedFunction implements PciFunction {
  readonly bars: PciFunction['bars'];
  readonly msixVectors: number;
  readonly interruptPin: number;
  readonly #recorded: PciFunction;
  readonly #index: number;
  readonly #log: EffectLog;
  readonly #known: SparseBytes;
  #memory: RecordedMemory | undefined;
  /** Of the memory whose regions are in the trace. */
  #generation = -1;

  /** @param known guest memory as whoever replays the trace will know it */
  constructor(recorded: PciFunction, index: number, log: EffectLog, known: SparseBytes) {
    this.#recorded = recorded;
    this.#index = index;
    this.#log = log;
    this.#known = known;
    this.bars = recorded.bars;
    this.msixVectors = recorded.msixVectors;
    this.interruptPin = recorded.interruptPin;
  }

  readConfig(offset: number, width: AccessWidth): number {
    this.#noteRegions();
    return this.#log.performReading(
      () => this.#recorded.readConfig(offset, width),
      (value) => ({ kind: 'readConfig', function: this.#index, offset, width, value }),
    );
  }

  writeConfig(offset: number, width: AccessWidth, value: number): void {
    this.#noteRegions();
    this.#log.perform({ kind: 'writeConfig', function: this.#index, offset, width, value }, () =>
      this.#recorded.writeConfig(offset, width, value),
    );
  }

  readBar(bar: number, offset: number, width: AccessWidth): number {
    this.#noteRegions();
    return this.#log.performReading(
      () => this.#recorded.readBar(bar, offset, width),
      (value) => ({ kind: 'readBar', function: this.#index, bar, offset, width, value }),
    );
  }

  writeBar(bar: number, offset: number, width: AccessWidth, value: number): void {
    this.#noteRegions();
    this.#log.perform({ kind: 'writeBar', function: this.#index, bar, offset, width, value }, () =>
      this.#recorded.writeBar(bar, offset, width, value),
    );
  }

  connect(host: PciHost): void {
    const memory = new RecordedMemory(host.memory, this.#log, this.#known);
    this.#memory = memory;
    this.#generation = -1;
    this.#noteRegions();
    const { ownsMsixTable } = host;
    const recordedHost: PciHost = {
      memory,
      ownsMsixTable,
      signalMsix: (vector, address, data) => {
        this.#log.effect({ kind: 'msix', vector, address, data });
        host.signalMsix(vector, address, data);
      },
      setIntx: (asserted) => {
        this.#log.effect({ kind: 'intx', asserted });
        host.setIntx(asserted);
      },
    };
    this.#log.perform({ kind: 'connect', function: this.#index, ownsMsixTable }, () =>
      this.#recorded.connect(recordedHost),
    );
  }

  memoryChanged(): void {
    // Regions that are added do not make another generation.
    this.#generation = -1;
    this.#noteRegions();
    this.#log.perform({ kind: 'memoryChanged', function: this.#index }, () =>
      this.#recorded.memoryChanged?.(),
    );
  }

  disconnect(): void {
    this.#noteRegions();
    this.#log.perform({ kind: 'disconnect', function: this.#index }, () =>
      this.#recorded.disconnect(),
    );
    this.#memory = undefined;
  }

  reset(): void {
    this.#noteRegions();
    this.#log.perform({ kind: 'reset', function: this.#index }, () => this.#recorded.reset());
  }

  service(): boolean {
    this.#noteRegions();
    return this.#log.perform({ kind: 'service', function: this.#index }, () => {
      const workLeft = this.#recorded.service();
      this.#log.effect({ kind: 'served', workLeft });
      return workLeft;
    });
  }

  #noteRegions(): void {
    const memory = this.#memory;
    if (memory === undefined || memory.generation === this.#generation) return;
    this.#generation = memory.generation;
    const { isShared, regions } = memory;
    this.#log.perform({ kind: 'regions', function: this.#index, isShared, regions }, () => {});
  }
}
