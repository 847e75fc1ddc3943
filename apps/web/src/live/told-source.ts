/** ToldSource: a machine that runs, made of what it tells: paused and resumed, and as it was when it ended. */
import {
  isAnswer,
  MachineView,
  type Told,
  type WalkAnswer,
  type WalkQuery,
} from '@viommu/inspector';
import type { LiveSource, LiveState } from './live-source.ts';

/** What is known of a machine at a moment. */
interface Known {
  readonly view: MachineView;
  walk: WalkAnswer | undefined;
}

export class ToldSource implements LiveSource {
  state: LiveState = { kind: 'connecting' };
  onChange: () => void = () => {};
  readonly ask: (query: WalkQuery) => void;
  #shown: Known = { view: new MachineView(), walk: undefined };
  /** While it is paused: goes on in the place of what is shown. */
  #newest: Known | undefined;

  /** @param ask asks the machine for a walk in the place of the one before */
  constructor(ask: (query: WalkQuery) => void) {
    this.ask = ask;
  }

  get view(): MachineView {
    return this.#shown.view;
  }

  get walk(): WalkAnswer | undefined {
    return this.#shown.walk;
  }

  get isPaused(): boolean {
    return this.#newest !== undefined;
  }

  pause(): void {
    this.#newest ??= { ...this.#shown, view: this.view.copy() };
    this.onChange();
  }

  resume(): void {
    this.#shown = this.#newest ?? this.#shown;
    this.#newest = undefined;
    this.onChange();
  }

  take(told: Told): void {
    const known = this.#newest ?? this.#shown;
    if (isAnswer(told)) known.walk = told;
    else known.view.apply(told);
    if (this.state.kind === 'running' && this.isPaused) return;
    this.state = { kind: 'running' };
    this.onChange();
  }

  /** Nothing more will be told. */
  end(reason: string): void {
    this.state = { kind: 'ended', reason };
    this.onChange();
  }
}
