/** The gate that every access of an endpoint goes through: translates it, counts it, or refuses and reports it. */
import type { Logger } from '@viommu/virtqueue';
import {
  TRANSLATION_NO_DOMAIN,
  TRANSLATION_NO_MAPPING,
  TRANSLATION_OK,
  type TranslationBackend,
  type TranslationResult,
} from '../backend.ts';
import type { IommuCounters } from '../counters.ts';
import type { EventQueue } from '../event-queue.ts';
import type { IommuInjector } from '../injector.ts';
import {
  VIRTIO_IOMMU_FAULT_R_DOMAIN,
  VIRTIO_IOMMU_FAULT_R_MAPPING,
  VIRTIO_IOMMU_FAULT_R_UNKNOWN,
} from '../protocol/constants.ts';
import type { Endpoint } from '../state/domain.ts';
import type { IommuState } from '../state/iommu-state.ts';

export class DmaGate {
  readonly #state: IommuState;
  readonly #backend: TranslationBackend;
  readonly #events: EventQueue;
  readonly #counters: IommuCounters;
  readonly #logger: Logger;
  readonly #injector: IommuInjector | undefined;

  constructor(
    state: IommuState,
    backend: TranslationBackend,
    events: EventQueue,
    counters: IommuCounters,
    logger: Logger,
    injector: IommuInjector | undefined,
  ) {
    this.#state = state;
    this.#backend = backend;
    this.#events = events;
    this.#counters = counters;
    this.#logger = logger;
    this.#injector = injector;
  }

  /** Grows when the backend has changed translations on its own. */
  get generation(): number {
    return this.#backend.generation;
  }

  /**
   * Translates the start of an access; a refusal is reported as a fault.
   *
   * @returns whether `out` is filled
   */
  translate(
    endpoint: Endpoint,
    address: number,
    length: number,
    access: number,
    out: TranslationResult,
  ): boolean {
    // The backend may know another endpoint by that ID.
    const code = endpoint.removed
      ? TRANSLATION_NO_DOMAIN
      : this.#backend.translate(endpoint.id, address, length, access, out);
    if (code === TRANSLATION_OK) {
      return true;
    }
    this.fault(endpoint, faultReason(code), address, access);
    return false;
  }

  /** Translates what may be accessed next; a refusal is no fault, since nothing was accessed. */
  peek(
    endpoint: Endpoint,
    address: number,
    length: number,
    access: number,
    out: TranslationResult,
  ): boolean {
    return (
      !endpoint.removed &&
      this.#backend.translate(endpoint.id, address, length, access, out) === TRANSLATION_OK
    );
  }

  /** Books an access that reached memory. */
  passed(
    endpoint: Endpoint,
    address: number,
    length: number,
    access: number,
    physical: number,
    bypass: boolean,
  ): void {
    if (bypass) {
      this.#bypassed(endpoint, length);
    } else {
      endpoint.counters.translatedBytes += length;
    }
    const { observer } = this.#state;
    if (observer?.translated !== undefined) {
      observer.translated(endpoint.id, address, length, access, physical, bypass);
    }
  }

  /** The address was translated, but nothing is there: no fault reason of the standard describes it. */
  absent(endpoint: Endpoint, address: number, access: number): void {
    this.fault(endpoint, VIRTIO_IOMMU_FAULT_R_UNKNOWN, address, access);
  }

  /**
   * An endpoint that was removed has nobody left to report its faults to: the driver knows none, or another, by that ID.
   *
   * @param reason VIRTIO_IOMMU_FAULT_R_*
   */
  fault(endpoint: Endpoint, reason: number, address: number, access: number): void {
    endpoint.counters.faults += 1;
    if (endpoint.removed) {
      return;
    }
    this.#counters.faults += 1;
    const delivered =
      this.#injector?.event?.(endpoint.id, reason, access, address) !== true &&
      this.#events.report(endpoint.id, reason, access, address);
    if (delivered) {
      this.#counters.eventsDelivered += 1;
    } else {
      this.#counters.eventsDropped += 1;
    }
    this.#state.observer?.fault?.(endpoint.id, reason, access, address, delivered);
  }

  #bypassed(endpoint: Endpoint, length: number): void {
    const { counters } = endpoint;
    counters.bypassedBytes += length;
    if (!this.#state.driverUp) {
      return;
    }
    counters.bypassedWhileDriverUp += length;
    if (!endpoint.attachedSinceDriverUp && !endpoint.bypassWarned) {
      endpoint.bypassWarned = true;
      this.#logger.warn(
        `Endpoint 0x${endpoint.id.toString(16)} does DMA untranslated: the guest's IOMMU driver is up but never attached it. ` +
          'Is the endpoint in the topology table that the guest reads, and is the granule ' +
          `(${this.#state.limits.granule} bytes) no larger than the guest's page?`,
      );
    }
  }
}

function faultReason(code: number): number {
  switch (code) {
    case TRANSLATION_NO_DOMAIN:
      return VIRTIO_IOMMU_FAULT_R_DOMAIN;
    case TRANSLATION_NO_MAPPING:
      return VIRTIO_IOMMU_FAULT_R_MAPPING;
    default:
      return VIRTIO_IOMMU_FAULT_R_UNKNOWN;
  }
}
