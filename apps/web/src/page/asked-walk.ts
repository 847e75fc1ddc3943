/** AskedWalk: the translation that is walked through for the page, and what was asked for it. */
import type { TranslationWalk, WalkAnswer, WalkQuery } from '@viommu/inspector';

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
    if (this.#isAsked(query)) return;
    this.#query = query;
    this.walk = undefined;
    this.#ask(query);
  }

  /** @param answer may have been on its way when something else was asked for */
  take(answer: WalkAnswer | undefined): void {
    this.walk = answer !== undefined && this.#isAsked(answer.query) ? answer.walk : undefined;
  }

  forget(): void {
    this.#query = undefined;
    this.walk = undefined;
  }

  #isAsked({ iommu, endpoint, address, access }: WalkQuery): boolean {
    const asked = this.#query;
    return (
      asked?.iommu === iommu &&
      asked.endpoint === endpoint &&
      asked.address === address &&
      asked.access === access
    );
  }
}
