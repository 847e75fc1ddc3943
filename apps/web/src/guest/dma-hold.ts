/** DmaHold: keeps the devices of a machine from taking buffers, and lets single ones through. */
import type { QueueGate } from '@viommu/virtqueue/device';

interface HeldQueue {
  readonly look: () => void;
}

export class DmaHold {
  #isHeld = false;
  /** Buffers that may be taken although it is held. */
  #credit = 0;
  /** Those that were found closed, the one that waits longest first. */
  readonly #waiting: HeldQueue[] = [];

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** For one device. */
  gate(): QueueGate {
    let look: (queue: number) => void = () => {};
    const queues: HeldQueue[] = [];
    return {
      attached: (given) => {
        look = given;
      },
      mayTake: (index) => {
        if (!this.#isHeld || this.#credit > 0) return true;
        queues[index] ??= { look: () => look(index) };
        if (!this.#waiting.includes(queues[index])) this.#waiting.push(queues[index]);
        return false;
      },
      taken: () => {
        if (this.#isHeld) this.#credit -= 1;
      },
    };
  }

  hold(): void {
    this.#isHeld = true;
    this.#credit = 0;
  }

  /** The devices look again the next time they work. */
  release(): void {
    this.#isHeld = false;
    for (const { look } of this.#waiting.splice(0)) look();
  }

  /**
   * Lets one buffer through.
   *
   * @param service has the devices work
   */
  step(service: () => void): void {
    if (!this.#isHeld) return;
    const queues = this.#waiting.splice(0);
    for (const [index, queue] of queues.entries()) {
      this.#credit = 1;
      queue.look();
      service();
      // One that was found empty, such as a queue that is filled when something comes, has used nothing up.
      if (this.#credit <= 0) {
        this.#waiting.unshift(...queues.slice(index + 1));
        break;
      }
    }
    this.#credit = 0;
  }
}
