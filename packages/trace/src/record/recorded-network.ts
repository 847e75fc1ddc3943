/** RecordedNetwork: a network of which every frame is noted, and when it could be sent to. */
import type { NetBackendListener, NetFrame } from '@viommu/devices';
import type { MachineNetwork } from '@viommu/machine';
import { NETWORK_TELLS } from '../format/constants.ts';
import type { EffectLog } from './effect-log.ts';

export class RecordedNetwork implements MachineNetwork {
  readonly largestFrame: number;
  readonly #network: MachineNetwork;
  readonly #index: number;
  readonly #log: EffectLog;
  /** As noted last. */
  #linkUp = true;
  #canSend = true;
  readonly #reserved: NetFrame = { bytes: new Uint8Array(0), offset: 0, length: 0 };

  constructor(network: MachineNetwork, index: number, log: EffectLog) {
    this.#network = network;
    this.#index = index;
    this.#log = log;
    this.largestFrame = network.largestFrame;
  }

  get linkUp(): boolean {
    this.#noteState();
    return this.#linkUp;
  }

  get canSend(): boolean {
    this.#noteState();
    return this.#canSend;
  }

  listen(listener: NetBackendListener): void {
    const tell = (what: number) => this.#tell(what, listener);
    this.#network.listen({
      receivable: () => tell(NETWORK_TELLS.indexOf('receivable')),
      sendable: () => tell(NETWORK_TELLS.indexOf('sendable')),
      linkChanged: () => tell(NETWORK_TELLS.indexOf('linkChanged')),
    });
  }

  receive(frame: NetFrame): boolean {
    const network = this.#index;
    if (!this.#network.receive(frame)) {
      this.#log.effect({ kind: 'networkNothing', network });
      return false;
    }
    const { offset, length } = frame;
    const bytes = frame.bytes.slice(offset, offset + length);
    this.#log.effect({ kind: 'networkReceive', network, bytes });
    return true;
  }

  reserve(length: number, frame: NetFrame): void {
    this.#network.reserve(length, frame);
    Object.assign(this.#reserved, frame);
  }

  commit(): void {
    const { bytes, offset, length } = this.#reserved;
    this.#log.effect({
      kind: 'networkSend',
      network: this.#index,
      bytes: bytes.slice(offset, offset + length),
    });
    this.#network.commit();
  }

  flush(): void {
    this.#log.effect({ kind: 'networkFlush', network: this.#index });
    this.#network.flush();
  }

  close(): void {
    this.#network.close();
  }

  /** A backend may tell something from within a call to it. */
  #tell(what: number, listener: NetBackendListener): void {
    const network = this.#index;
    const tell = () => {
      this.#log.effect({ kind: 'networkTells', network, what });
      listener[NETWORK_TELLS[what]!]();
    };
    if (this.#log.isBusy) tell();
    else this.#log.perform({ kind: 'networkReady', network }, tell);
  }

  #noteState(): void {
    const { linkUp, canSend } = this.#network;
    if (linkUp === this.#linkUp && canSend === this.#canSend) return;
    this.#linkUp = linkUp;
    this.#canSend = canSend;
    this.#log.effect({ kind: 'networkState', network: this.#index, linkUp, canSend });
  }
}
