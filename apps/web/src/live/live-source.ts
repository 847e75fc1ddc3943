/** The contract between the page and what tells it of a machine that runs. Types and docs only. */
import type { MachineView, WalkAnswer, WalkQuery } from '@viommu/inspector';

export type LiveState =
  /** Nothing has been told yet. */
  | { readonly kind: 'connecting' }
  | { readonly kind: 'running' }
  /** Nothing more will be told; what was told is kept. */
  | { readonly kind: 'ended'; readonly reason: string };

export interface LiveSource {
  readonly state: LiveState;
  readonly isPaused: boolean;
  /** What is to be shown: the newest, or, while it is paused, what was the newest then. */
  readonly view: MachineView;
  /** Of what was asked last, as far as it is known, at the moment of the view. */
  readonly walk: WalkAnswer | undefined;
  /** Called when one of these has changed. */
  onChange: () => void;
  pause(): void;
  /** On with the newest. */
  resume(): void;
  /** Asks for this walk in the place of the one before; it is told anew whenever it changes. */
  ask(query: WalkQuery): void;
}
