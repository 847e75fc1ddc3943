/** AskedWalk: the translation that is walked through for the page, and what was asked for it. */
import type { TranslationWalk } from '@viommu/inspector';
import type { WalkQuery } from '../replay/replay-messages.ts';

export class AskedWalk {
  /** None before the answer is there. */
  walk: TranslationWalk | undefined;
  readonly #ask: (query: WalkQuery) => void;
  #query: WalkQuery | undefined;

  constructor(ask: (query: WalkQuery) => void) {
    this.#ask = ask;
  }

  /** Asks, when that is something else than what every report has anyway. */
  ask(query: WalkQuery): void {
    if (JSON.stringify(query) === JSON.stringify(this.#query)) return;
    this.#query = query;
    this.walk = undefined;
    this.#ask(query);
  }

  /** @param walk of a report, which may have been on its way when something else was asked for */
  take(walk: TranslationWalk | undefined): void {
    const isAsked =
      walk?.endpoint === this.#query?.endpoint &&
      walk?.address === this.#query?.address &&
      walk?.access === this.#query?.access;
    this.walk = isAsked ? walk : undefined;
  }

  forget(): void {
    this.#query = undefined;
    this.walk = undefined;
  }
}
