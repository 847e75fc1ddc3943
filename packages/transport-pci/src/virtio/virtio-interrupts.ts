/** VirtioPciInterrupts: turns what a virtio device has to say into MSI-X messages, or into ISR status and INTx. */
import type { InterruptSink } from '@viommu/virtqueue/device';
import type { SnapshotReader } from '@viommu/virtqueue/snapshot';
import type { IntxLine } from '../intx.ts';
import type { Msix } from '../msix.ts';
import {
  ISR_CONFIGURATION_INTERRUPT,
  ISR_QUEUE_INTERRUPT,
  VIRTIO_MSI_NO_VECTOR,
} from './virtio-pci-constants.ts';

export interface VirtioPciInterruptsSnapshot {
  /** Interrupts that the driver has not read from ISR status. */
  readonly isrStatus: number;
  readonly configVector: number;
  /** By queue. */
  readonly queueVectors: readonly number[];
}

export class VirtioPciInterrupts implements InterruptSink {
  readonly #msix: Msix | undefined;
  readonly #intx: IntxLine;
  readonly #queueVectors: Uint16Array;
  #configVector = VIRTIO_MSI_NO_VECTOR;
  #isrStatus = 0;

  constructor(queueCount: number, msix: Msix | undefined, intx: IntxLine) {
    this.#msix = msix;
    this.#intx = intx;
    this.#queueVectors = new Uint16Array(queueCount).fill(VIRTIO_MSI_NO_VECTOR);
  }

  usedBuffer(queueIndex: number): void {
    if (this.#msix?.enabled) {
      this.#trigger(this.#msix, this.queueVector(queueIndex));
      return;
    }
    this.#isrStatus |= ISR_QUEUE_INTERRUPT;
    this.updateIntx();
  }

  configChange(): void {
    // "ISR status capability": the Device Configuration Interrupt bit is set with MSI-X, too.
    this.#isrStatus |= ISR_CONFIGURATION_INTERRUPT;
    if (this.#msix?.enabled) this.#trigger(this.#msix, this.#configVector);
    else this.updateIntx();
  }

  /** "ISR status capability": reading resets it to 0 and deasserts the interrupt. */
  readIsrStatus(): number {
    const isrStatus = this.#isrStatus;
    this.#isrStatus = 0;
    this.updateIntx();
    return isrStatus;
  }

  /** To be called when the command register or MSI-X Enable may have changed. */
  updateIntx(): void {
    this.#intx.update(this.#isrStatus !== 0 && !this.#msix?.enabled);
  }

  get configVector(): number {
    return this.#configVector;
  }

  set configVector(vector: number) {
    this.#configVector = this.#mapped(vector);
  }

  queueVector(queueIndex: number): number {
    return this.#queueVectors[queueIndex] ?? VIRTIO_MSI_NO_VECTOR;
  }

  setQueueVector(queueIndex: number, vector: number): void {
    this.#queueVectors[queueIndex] = this.#mapped(vector);
  }

  snapshot(): VirtioPciInterruptsSnapshot {
    return {
      isrStatus: this.#isrStatus,
      configVector: this.#configVector,
      queueVectors: [...this.#queueVectors],
    };
  }

  /** @returns what brings them back, after MSI-X: INTx is asserted again @throws VirtioError `SNAPSHOT` */
  prepareRestore(snapshot: SnapshotReader): () => void {
    const isrStatus = snapshot
      .field('isrStatus')
      .integer(0, ISR_QUEUE_INTERRUPT | ISR_CONFIGURATION_INTERRUPT);
    const configVector = snapshot.field('configVector').integer(0, VIRTIO_MSI_NO_VECTOR);
    const reader = snapshot.field('queueVectors');
    const queueVectors = reader.integers(this.#queueVectors.length);
    const isMapped = (vector: number) => this.#mapped(vector) === vector;
    if (queueVectors.length !== this.#queueVectors.length || !queueVectors.every(isMapped)) {
      reader.refuse('are not the vectors of all queues');
    }
    if (!isMapped(configVector)) snapshot.refuse('has a vector that the function does not have');
    return () => {
      this.#isrStatus = isrStatus;
      this.#configVector = configVector;
      this.#queueVectors.set(queueVectors);
      this.updateIntx();
    };
  }

  /** "MSI-X Vector Configuration": all events are unmapped upon reset. */
  reset(): void {
    this.#configVector = VIRTIO_MSI_NO_VECTOR;
    this.#queueVectors.fill(VIRTIO_MSI_NO_VECTOR);
    this.#isrStatus = 0;
    this.#msix?.clearPending();
    this.updateIntx();
  }

  /** "MSI-X Vector Configuration": a mapping that failed reads back as NO_VECTOR. */
  #mapped(vector: number): number {
    return vector < (this.#msix?.vectors ?? 0) ? vector : VIRTIO_MSI_NO_VECTOR;
  }

  #trigger(msix: Msix, vector: number): void {
    if (vector !== VIRTIO_MSI_NO_VECTOR) msix.trigger(vector);
  }
}
