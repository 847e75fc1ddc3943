/** StepCounter: how often each step of a device that is passed through was seen, and the latest. */
import type { Moment, WatchedStep } from './inspector-messages.ts';
import type { PassThroughStep } from './pass-through-step.ts';

interface Counted {
  step: WatchedStep;
  /** Whether there is news since {@link StepCounter.take}. */
  isNew: boolean;
}

export class StepCounter {
  readonly #counted = new Map<PassThroughStep['type'], Counted>();

  add(now: Moment, latest: PassThroughStep): void {
    const count = (this.#counted.get(latest.type)?.step.count ?? 0) + 1;
    this.#counted.set(latest.type, { step: { ...now, count, latest }, isNew: true });
  }

  /** @param all not only those with news */
  take(all: boolean): WatchedStep[] {
    const taken: WatchedStep[] = [];
    for (const counted of this.#counted.values()) {
      if (all || counted.isNew) taken.push(counted.step);
      counted.isNew = false;
    }
    return taken;
  }
}
