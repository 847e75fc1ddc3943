/** RecentLog: the latest items of a row that has no end, each with its number. */

export class RecentLog<T> {
  readonly #items: T[] = [];
  readonly #capacity: number;
  #count = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  push(item: T): void {
    this.#items[this.#count % this.#capacity] = item;
    this.#count += 1;
  }

  /** Those that are kept, from number `sequence` on. */
  since(sequence: number): T[] {
    const items: T[] = [];
    for (let at = Math.max(sequence, this.#count - this.#capacity, 0); at < this.#count; at += 1) {
      items.push(this.#items[at % this.#capacity]!);
    }
    return items;
  }
}
