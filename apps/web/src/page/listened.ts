/**
 * Listened: what tells its listeners of changes, once for all before the next frame. Whoever draws in between waits for the frame
 * before, as soon as it asks where something is.
 */
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
    requestAnimationFrame(() => {
      this.#isTold = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
