/** The contract between the page and what tells it of a machine that runs. Types and docs only. */
import type { MachineView } from '@viommu/inspector';

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
  /** Called when one of these has changed. */
  onChange: () => void;
  pause(): void;
  /** On with the newest. */
  resume(): void;
}
