/** SplitModel: the device's side of a split virtqueue, naive; numbers are written out from the standard. */
import { isLegalChain, tableEntries } from './chain-rules.ts';
import type { ModelChain, ModelMemory, ModelSegment, RingModel, RingPlace } from './ring-model.ts';

const [NEXT, WRITE, INDIRECT] = [1, 2, 4];

export class SplitModel implements RingModel {
  broken = false;
  readonly #memory: ModelMemory;
  readonly #place: RingPlace;
  /** How many buffers were taken, how many are known to be there, how many were given back: all modulo 2^16. */
  #taken = 0;
  #known = 0;
  #used = 0;
  /** Given back since the last question whether to interrupt. */
  #fresh = 0;

  constructor(memory: ModelMemory, place: RingPlace) {
    this.#memory = memory;
    this.#place = place;
  }

  pop(): ModelChain | undefined {
    if (this.broken || !this.#isAvailable()) return undefined;
    const { driverArea, size } = this.#place;
    const head = this.#memory.expected(driverArea + 4 + 2 * (this.#taken % size), 2);
    const segments = this.#collect(this.#place.descriptorArea, size, head, false);
    if (segments === undefined || !isLegalChain(segments, size)) {
      this.broken = true;
      return undefined;
    }
    this.#taken = (this.#taken + 1) % 65536;
    return { head, segments };
  }

  pushUsedTogether(used: readonly { head: number; length: number }[]): void {
    if (this.broken) return;
    const { deviceArea, size } = this.#place;
    for (const { head, length } of used) {
      const element = deviceArea + 4 + 8 * (this.#used % size);
      this.#memory.expect(element, head, 4);
      this.#memory.expect(element + 4, length, 4);
      this.#used = (this.#used + 1) % 65536;
      this.#fresh += 1;
    }
    this.#memory.expect(deviceArea + 2, this.#used, 2);
  }

  /** "the device MUST send an interrupt" when used_event is the index of a buffer that was given back since. */
  shouldInterrupt(): boolean {
    const fresh = this.#fresh;
    this.#fresh = 0;
    if (this.broken || fresh === 0) return false;
    const { driverArea, size, eventIdx } = this.#place;
    if (!eventIdx) return this.#memory.expected(driverArea, 2) % 2 === 0;
    const usedEvent = this.#memory.expected(driverArea + 4 + 2 * size, 2);
    return (this.#used + 65536 - 1 - usedEvent) % 65536 < fresh;
  }

  disableNotifications(): void {
    if (this.broken || this.#place.eventIdx) return;
    this.#memory.expect(this.#place.deviceArea, 1, 2);
  }

  enableNotifications(): boolean {
    if (this.broken) return false;
    const { deviceArea, size, eventIdx } = this.#place;
    if (eventIdx) this.#memory.expect(deviceArea + 4 + 8 * size, this.#taken, 2);
    else this.#memory.expect(deviceArea, 0, 2);
    return this.#isAvailable();
  }

  /** The index is looked at again only when all that it told of was taken. */
  #isAvailable(): boolean {
    if (this.#known !== this.#taken) return true;
    const index = this.#memory.expected(this.#place.driverArea + 2, 2);
    if ((index + 65536 - this.#taken) % 65536 > this.#place.size) {
      this.broken = true;
      return false;
    }
    this.#known = index;
    return this.#known !== this.#taken;
  }

  #collect(
    table: number,
    entries: number,
    first: number,
    isInner: boolean,
  ): ModelSegment[] | undefined {
    const segments: ModelSegment[] = [];
    for (let index = first; ; ) {
      if (index >= entries || segments.length === entries) return undefined;
      const at = table + 16 * index;
      const address = this.#memory.expected64(at);
      const length = this.#memory.expected(at + 8, 4);
      const flags = this.#memory.expected(at + 12, 2);
      if (flags & INDIRECT!) {
        if (isInner || flags & NEXT! || !this.#place.indirect) return undefined;
        const count = tableEntries(this.#memory, address, length, this.#place.size);
        const inner = this.#collect(address, count, 0, true);
        return inner && [...segments, ...inner];
      }
      segments.push({ address, length, isWritable: (flags & WRITE!) !== 0 });
      if (!(flags & NEXT!)) return segments;
      index = this.#memory.expected(at + 14, 2);
    }
  }
}
