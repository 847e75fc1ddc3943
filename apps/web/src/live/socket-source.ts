/** SocketSource: a machine that runs, as the WebSocket of `viommu serve --web` and its like tells of it. */
import { decodeUpdate, MachineView } from '@viommu/inspector';
import type { LiveSource, LiveState } from './live-source.ts';

export class SocketSource implements LiveSource {
  state: LiveState = { kind: 'connecting' };
  view = new MachineView();
  onChange: () => void = () => {};
  /** While it is paused: goes on in the place of the view that is shown. */
  #newest: MachineView | undefined;

  constructor(socket: Pick<WebSocket, 'onmessage' | 'onclose'>) {
    socket.onmessage = ({ data }) => this.#update(String(data));
    socket.onclose = ({ reason }) => this.#end(reason);
  }

  get isPaused(): boolean {
    return this.#newest !== undefined;
  }

  pause(): void {
    this.#newest ??= this.view.copy();
    this.onChange();
  }

  resume(): void {
    this.view = this.#newest ?? this.view;
    this.#newest = undefined;
    this.onChange();
  }

  #update(text: string): void {
    (this.#newest ?? this.view).apply(decodeUpdate(text));
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
