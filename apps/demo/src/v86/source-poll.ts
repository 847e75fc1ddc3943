/** SourcePoll: lets sources do what there is to do, in a thread that nothing blocks. */
import { POLLERR, POLLHUP, POLLIN, POLLOUT, PollSet, requireLibc } from '@viommu/linux-io';
import type { PollSource } from '@viommu/vfio-user';

/** What is reported whether it is asked for or not. */
const GONE = POLLHUP | POLLERR;

export class SourcePoll {
  readonly #sources: readonly PollSource[];
  readonly #pollSet = new PollSet(requireLibc());

  constructor(sources: readonly PollSource[]) {
    this.#sources = sources;
  }

  /** Tells each what has come of its descriptor, and has it work. */
  poll(): void {
    this.#sources.forEach((source, slot) => {
      const events = (source.wantsRead() ? POLLIN : 0) | (source.wantsWrite() ? POLLOUT : 0);
      if (events === 0 || source.fd < 0) this.#pollSet.clear(slot);
      else this.#pollSet.set(slot, source.fd, events);
    });
    this.#pollSet.wait(0);
    this.#sources.forEach((source, slot) => {
      const events = this.#pollSet.events(slot);
      if (events !== 0) {
        source.ready((events & (POLLIN | GONE)) !== 0, (events & (POLLOUT | GONE)) !== 0);
      }
      source.work?.();
    });
  }

  close(): void {
    this.#pollSet.giveBack();
  }
}
