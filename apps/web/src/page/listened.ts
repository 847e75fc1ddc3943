/** Listened: what tells its listeners of changes, once for all that change in one turn. */
export class Listened {
  readonly #listeners = new Set<() => void>();
  #isTold = false;

  /** @returns ends it */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(): void {
    if (this.#isTold) return;
    this.#isTold = true;
    queueMicrotask(() => {
      this.#isTold = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
