/** ReplayedNetwork: a network that brings the frames of the trace, and checks those that are sent. */
import type { NetBackendListener, NetFrame } from '@viommu/devices';
import type { MachineNetwork } from '@viommu/machine';
import { NETWORK_TELLS } from '../format/constants.ts';
import type { TracedNetwork } from '../format/trace-events.ts';
import type { EffectScript } from './effect-script.ts';

/** Before a frame that was received is room for the device's header. */
const HEADER_ROOM = 12;

export class ReplayedNetwork implements MachineNetwork {
  readonly largestFrame: number;
  readonly #network: number;
  readonly #script: EffectScript;
  #linkUp = true;
  #canSend = true;
  #listener: NetBackendListener | undefined;
  readonly #reserved: NetFrame = { bytes: new Uint8Array(0), offset: 0, length: 0 };

  constructor({ largestFrame }: TracedNetwork, network: number, script: EffectScript) {
    this.largestFrame = largestFrame;
    this.#network = network;
    this.#script = script;
  }

  get linkUp(): boolean {
    this.#takeState();
    return this.#linkUp;
  }

  get canSend(): boolean {
    this.#takeState();
    return this.#canSend;
  }

  listen(listener: NetBackendListener): void {
    this.#listener = listener;
  }

  receive(frame: NetFrame): boolean {
    this.takeTold();
    const kinds = ['networkReceive', 'networkNothing'] as const;
    const effect = this.#script.take(kinds, () => `networkReceive: network ${this.#network}`);
    if (effect.kind === 'networkReceive') {
      const { length } = effect.bytes;
      frame.bytes = new Uint8Array(HEADER_ROOM + length);
      frame.bytes.set(effect.bytes, HEADER_ROOM);
      frame.offset = HEADER_ROOM;
      frame.length = length;
    }
    this.takeTold();
    return effect.kind === 'networkReceive';
  }

  reserve(length: number, frame: NetFrame): void {
    frame.bytes = new Uint8Array(length);
    frame.offset = 0;
    frame.length = length;
    Object.assign(this.#reserved, frame);
  }

  commit(): void {
    this.takeTold();
    const { bytes, offset, length } = this.#reserved;
    const sent = bytes.subarray(offset, offset + length);
    this.#script.expect({ kind: 'networkSend', network: this.#network, bytes: sent });
    this.takeTold();
  }

  flush(): void {
    this.takeTold();
    this.#script.expect({ kind: 'networkFlush', network: this.#network });
    this.takeTold();
  }

  close(): void {}

  /** Tells the device what the network told it at this point. */
  takeTold(): void {
    for (;;) {
      const effect = this.#script.peek();
      if (effect?.kind !== 'networkTells' || effect.network !== this.#network) return;
      this.#script.expect(effect);
      const method = NETWORK_TELLS[effect.what];
      if (method !== undefined) this.#listener?.[method]();
    }
  }

  #takeState(): void {
    const effect = this.#script.peek();
    if (effect?.kind !== 'networkState' || effect.network !== this.#network) return;
    this.#script.expect(effect);
    this.#linkUp = effect.linkUp;
    this.#canSend = effect.canSend;
  }
}
