/** EndpointMemory: guest memory as one endpoint behind the IOMMU sees it, each access translated first. */
import {
  ACCESS_READ,
  ACCESS_WRITE,
  type GuestMemory,
  type MemoryWindow,
  WINDOW_DENIED,
} from '@viommu/virtqueue';
import type { TranslationResult } from '../backend.ts';
import type { Endpoint } from '../state/domain.ts';
import type { DmaGate } from './dma-gate.ts';

/** Mappings that one window may join: a guest may make them a byte long, and a window must not take for ever. */
const JOINED_MAX = 1024;

export class EndpointMemory implements GuestMemory {
  readonly #endpoint: Endpoint;
  readonly #memory: GuestMemory;
  readonly #gate: DmaGate;
  readonly #result: TranslationResult = { physical: 0, length: 0, bypass: false };
  readonly #next: TranslationResult = { physical: 0, length: 0, bypass: false };

  constructor(endpoint: Endpoint, memory: GuestMemory, gate: DmaGate) {
    this.#endpoint = endpoint;
    this.#memory = memory;
    this.#gate = gate;
  }

  /** All parts only ever grow, so a change of any shows. */
  get generation(): number {
    return this.#endpoint.generation + this.#memory.generation + this.#gate.generation;
  }

  get isShared(): boolean {
    return this.#memory.isShared;
  }

  /** Mappings that continue each other physically make one window. Its bytes are counted once, when it is given out. */
  window(address: number, length: number, access: number, out: MemoryWindow): number {
    const result = this.#result;
    if (!this.#gate.translate(this.#endpoint, address, length, access, result)) {
      return WINDOW_DENIED;
    }
    const run = this.#joinRuns(address, length, access);
    const shown = this.#memory.window(result.physical, run, access, out);
    if (shown === WINDOW_DENIED) {
      this.#gate.absent(this.#endpoint, address, access);
    } else if (shown > 0) {
      this.#gate.passed(this.#endpoint, address, shown, access, result.physical, result.bypass);
    }
    return shown;
  }

  read(address: number, target: Uint8Array, targetOffset: number, length: number): boolean {
    for (let done = 0; done < length; ) {
      const start = address + done;
      const result = this.#result;
      if (!this.#gate.translate(this.#endpoint, start, length - done, ACCESS_READ, result)) {
        return false;
      }
      if (!this.#memory.read(result.physical, target, targetOffset + done, result.length)) {
        this.#gate.absent(this.#endpoint, start, ACCESS_READ);
        return false;
      }
      this.#passed(start, ACCESS_READ);
      done += result.length;
    }
    return true;
  }

  write(address: number, source: Uint8Array, sourceOffset: number, length: number): boolean {
    for (let done = 0; done < length; ) {
      const start = address + done;
      const result = this.#result;
      if (!this.#gate.translate(this.#endpoint, start, length - done, ACCESS_WRITE, result)) {
        return false;
      }
      if (!this.#memory.write(result.physical, source, sourceOffset + done, result.length)) {
        this.#gate.absent(this.#endpoint, start, ACCESS_WRITE);
        return false;
      }
      this.#passed(start, ACCESS_WRITE);
      done += result.length;
    }
    return true;
  }

  /** Length of the run from the first translation on, as far as the next ones continue it. */
  #joinRuns(address: number, length: number, access: number): number {
    const { physical, bypass } = this.#result;
    const next = this.#next;
    let run = this.#result.length;
    for (let joined = 1; run < length && joined < JOINED_MAX; joined++) {
      if (
        !this.#gate.peek(this.#endpoint, address + run, length - run, access, next) ||
        next.physical !== physical + run ||
        next.bypass !== bypass
      ) {
        break;
      }
      run += next.length;
    }
    return run;
  }

  #passed(address: number, access: number): void {
    const { length, physical, bypass } = this.#result;
    this.#gate.passed(this.#endpoint, address, length, access, physical, bypass);
  }
}
