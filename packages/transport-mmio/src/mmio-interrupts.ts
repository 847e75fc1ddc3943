/** MmioInterrupts: InterruptStatus and InterruptACK, and the one interrupt signal that they drive. */
import type { InterruptSink } from '@viommu/virtqueue/device';
import type { SnapshotReader } from '@viommu/virtqueue/snapshot';
import type { MmioHost } from './mmio-device.ts';
import { INTERRUPT_CONFIG_CHANGE, INTERRUPT_USED_BUFFER } from './mmio-registers.ts';

const EVENTS = INTERRUPT_USED_BUFFER | INTERRUPT_CONFIG_CHANGE;

export interface MmioInterruptsSnapshot {
  /** InterruptStatus. */
  readonly status: number;
  /** Its bits that the driver has not read since they were set. */
  readonly unread: number;
}

export class MmioInterrupts implements InterruptSink {
  #host: MmioHost | undefined;
  #asserted = false;
  #status = 0;
  /** Those bits of InterruptStatus that the driver has not read since they were set last. */
  #unread = 0;

  /** Who sees the signal; a new host finds it deasserted. */
  setHost(host: MmioHost | undefined): void {
    this.#host = host;
    this.#asserted = false;
  }

  usedBuffer(): void {
    this.#add(INTERRUPT_USED_BUFFER);
  }

  configChange(): void {
    this.#add(INTERRUPT_CONFIG_CHANGE);
  }

  readStatus(): number {
    this.#unread = 0;
    this.#update();
    return this.#status;
  }

  /** "notifies the device that events causing the interrupt have been handled": any bit can be written. */
  acknowledge(events: number): void {
    this.#status &= ~events;
    this.#unread &= ~events;
    this.#update();
  }

  /** "Upon reset, the device MUST clear all bits in InterruptStatus". */
  reset(): void {
    this.#status = 0;
    this.#unread = 0;
    this.#update();
  }

  snapshot(): MmioInterruptsSnapshot {
    return { status: this.#status, unread: this.#unread };
  }

  /** @returns what brings them back, and asserts the signal again @throws VirtioError `SNAPSHOT` */
  prepareRestore(snapshot: SnapshotReader): () => void {
    const status = snapshot.field('status').integer(0, EVENTS);
    const unread = snapshot.field('unread').integer(0, EVENTS);
    if ((unread & ~status) !== 0) snapshot.refuse('has an event that is unread and not there');
    return () => {
      this.#status = status;
      this.#unread = unread;
      this.#update();
    };
  }

  #add(event: number): void {
    this.#status |= event;
    this.#unread |= event;
    this.#update();
  }

  #update(): void {
    const events = this.#host?.deassertWhenRead ? this.#unread : this.#status;
    const asserted = events !== 0;
    if (asserted === this.#asserted) return;
    this.#asserted = asserted;
    this.#host?.setInterrupt(asserted);
  }
}
