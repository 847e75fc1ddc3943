/** IsolationCheck: at each translated access, asks whether another endpoint could have reached the same memory there. */
import {
  TRANSLATION_OK,
  type TranslationBackend,
  type TranslationResult,
} from '@viommu/iommu-core';
import type { Machine } from '../machine/machine.ts';

export class IsolationCheck {
  /** Accesses that were compared with another endpoint's view. */
  checked = 0;
  /** Those at which the other endpoint reaches the same memory, in a domain of its own. */
  shared = 0;
  private backend: TranslationBackend | undefined;
  private endpoints: readonly number[] = [];
  private readonly result: TranslationResult = { physical: 0, length: 0, bypass: false };

  /** Watches this machine from now on. */
  watch(machine: Machine): void {
    this.backend = machine.backend;
    this.endpoints = machine.functions.slice(1).map(({ bdf }) => bdf);
  }

  /** The observer's method; bound, because it is handed over without the object. */
  readonly translated = (
    endpoint: number,
    address: number,
    length: number,
    access: number,
    physical: number,
    bypass: boolean,
  ): void => {
    if (bypass || this.backend === undefined) return;
    for (const other of this.endpoints) {
      if (other === endpoint) continue;
      const code = this.backend.translate(other, address, length, access, this.result);
      // An endpoint without a domain is not under the guest driver's control yet; it is no witness.
      if (code === TRANSLATION_OK && this.result.bypass) continue;
      this.checked += 1;
      if (code === TRANSLATION_OK && this.result.physical === physical) this.shared += 1;
    }
  };
}
