/** SocketSource: a machine that runs, as the WebSocket of `viommu serve --web` and its like tells of it. */
import {
  decodeTold,
  isAnswer,
  MachineView,
  type WalkAnswer,
  type WalkQuery,
} from '@viommu/inspector';
import type { LiveSource, LiveState } from './live-source.ts';

/** What is known of a machine at a moment. */
interface Known {
  readonly view: MachineView;
  walk: WalkAnswer | undefined;
}

export class SocketSource implements LiveSource {
  state: LiveState = { kind: 'connecting' };
  onChange: () => void = () => {};
  readonly #socket: Pick<WebSocket, 'send'>;
  #shown: Known = { view: new MachineView(), walk: undefined };
  /** While it is paused: goes on in the place of what is shown. */
  #newest: Known | undefined;

  constructor(socket: Pick<WebSocket, 'onmessage' | 'onclose' | 'send'>) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(String(data));
    socket.onclose = ({ reason }) => this.#end(reason);
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

  ask(query: WalkQuery): void {
    this.#socket.send(JSON.stringify(query));
  }

  #take(text: string): void {
    const told = decodeTold(text);
    const known = this.#newest ?? this.#shown;
    if (isAnswer(told)) known.walk = told;
    else known.view.apply(told);
    if (this.state.kind === 'running' && this.isPaused) return;
    this.state = { kind: 'running' };
    this.onChange();
  }

  #end(reason: string): void {
    const lost =
      this.state.kind === 'connecting' ? 'there is no connection' : 'the connection is lost';
    this.state = { kind: 'ended', reason: reason === '' ? lost : reason };
    this.onChange();
  }
}
