/** PackedModel: the device's side of a packed virtqueue, naive; numbers are written out from the standard. */
import { isLegalChain, tableEntries } from './chain-rules.ts';
import type { ModelChain, ModelMemory, ModelSegment, RingModel, RingPlace } from './ring-model.ts';

const [NEXT, WRITE, INDIRECT, AVAIL, USED] = [1, 2, 4, 0x80, 0x8000];
const [EVENT_DISABLE, EVENT_DESC] = [1, 2];

export class PackedModel implements RingModel {
  broken = false;
  readonly #memory: ModelMemory;
  readonly #place: RingPlace;
  /** Descriptors since the beginning: the place in the ring is the remainder, the wrap counter the quotient. */
  #taken = 0;
  #used = 0;
  /** Descriptors given back since the last question whether to interrupt. */
  #fresh = 0;
  /** By buffer ID: its descriptors. */
  readonly #held = new Map<number, number>();

  constructor(memory: ModelMemory, place: RingPlace) {
    this.#memory = memory;
    this.#place = place;
  }

  pop(): ModelChain | undefined {
    if (this.broken || !this.#isAvailable(this.#taken)) return undefined;
    const list = this.#collect();
    const { size } = this.#place;
    if (
      !list ||
      !isLegalChain(list.segments, size) ||
      list.head >= size ||
      this.#held.has(list.head)
    ) {
      this.broken = true;
      return undefined;
    }
    this.#held.set(list.head, list.count);
    this.#taken += list.count;
    return list;
  }

  pushUsedTogether(used: readonly { head: number; length: number }[]): void {
    if (this.broken) return;
    for (const { head, length } of used) {
      const at = this.#address(this.#used);
      const flags = this.#wrap(this.#used) ? AVAIL! | USED! : 0;
      this.#memory.expect(at + 8, length, 4);
      this.#memory.expect(at + 12, head, 2);
      this.#memory.expect(at + 14, flags | (length > 0 ? WRITE! : 0), 2);
      this.#used += this.#held.get(head)!;
      this.#fresh += this.#held.get(head)!;
      this.#held.delete(head);
    }
  }

  /** Goes back descriptor by descriptor, to see whether the one that the driver waits for is among them. */
  shouldInterrupt(): boolean | undefined {
    const { size, driverArea, eventIdx } = this.#place;
    const fresh = Math.min(this.#fresh, size);
    this.#fresh = 0;
    if (this.broken || fresh === 0) return false;
    const wish = this.#memory.expected(driverArea, 2);
    const flags = this.#memory.expected(driverArea + 2, 2) % 4;
    if (flags === EVENT_DISABLE) return false;
    if (flags !== EVENT_DESC || !eventIdx) return true;
    // There is no such descriptor.
    if (wish % 32768 >= size) return undefined;
    for (let back = 1; back <= fresh; back += 1) {
      if (this.#offsetAndWrap(this.#used - back) === wish) return true;
    }
    return false;
  }

  disableNotifications(): void {
    this.#ask(EVENT_DISABLE!, 0);
  }

  enableNotifications(): boolean {
    if (this.#place.eventIdx) this.#ask(EVENT_DESC!, this.#offsetAndWrap(this.#taken));
    else this.#ask(0, 0);
    return !this.broken && this.#isAvailable(this.#taken);
  }

  #ask(flags: number, offsetAndWrap: number): void {
    if (this.broken) return;
    this.#memory.expect(this.#place.deviceArea, offsetAndWrap, 2);
    this.#memory.expect(this.#place.deviceArea + 2, flags, 2);
  }

  #collect(): (ModelChain & { count: number }) | undefined {
    const { size } = this.#place;
    const held = [...this.#held.values()].reduce((sum, count) => sum + count, 0);
    const segments: ModelSegment[] = [];
    for (let count = 1; count <= size - held; count += 1) {
      const position = this.#taken + count - 1;
      const at = this.#address(position);
      const flags = this.#memory.expected(at + 14, 2);
      if (!this.#isAvailable(position)) return undefined;
      const head = this.#memory.expected(at + 12, 2);
      if (flags & INDIRECT!) {
        const inner = count > 1 || flags & NEXT! ? undefined : this.#table(at);
        return inner && { head, segments: inner, count };
      }
      segments.push(this.#segment(at));
      if (!(flags & NEXT!)) return { head, segments, count };
    }
    return undefined;
  }

  #table(at: number): ModelSegment[] | undefined {
    if (!this.#place.indirect) return undefined;
    const { address, length } = this.#segment(at);
    const entries = tableEntries(this.#memory, address, length, this.#place.size);
    if (entries === 0) return undefined;
    return Array.from({ length: entries }, (_, index) => this.#segment(address + 16 * index));
  }

  #segment(at: number): ModelSegment {
    return {
      address: this.#memory.expected64(at),
      length: this.#memory.expected(at + 8, 4),
      isWritable: (this.#memory.expected(at + 14, 2) & WRITE!) !== 0,
    };
  }

  #isAvailable(position: number): boolean {
    const flags = this.#memory.expected(this.#address(position) + 14, 2);
    return (flags & (AVAIL! | USED!)) === (this.#wrap(position) ? AVAIL! : USED!);
  }

  #address(position: number): number {
    return this.#place.descriptorArea + 16 * (position % this.#place.size);
  }

  /** "initialized to 1", and changed when the ring is through. */
  #wrap(position: number): boolean {
    return Math.floor(position / this.#place.size) % 2 === 0;
  }

  #offsetAndWrap(position: number): number {
    return (position % this.#place.size) + (this.#wrap(position) ? 32768 : 0);
  }
}
