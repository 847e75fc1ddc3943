/** What the IOMMUs of a machine that is replayed are asked, and what they refuse, until somebody takes it. */
import type { IommuObserver } from '@viommu/iommu-core';

export interface LoggedRequest {
  readonly kind: 'request';
  readonly iommu: number;
  readonly type: number;
  readonly status: number;
  /** The device-readable part. */
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly writableLength: number;
  readonly usedLength: number;
}

export interface LoggedFault {
  readonly kind: 'fault';
  readonly iommu: number;
  readonly endpoint: number;
  readonly reason: number;
  readonly access: number;
  readonly address: number;
  readonly delivered: boolean;
}

export class TraceEventsLog {
  #events: (LoggedRequest | LoggedFault)[] = [];

  /** To be handed to the machine. */
  readonly observe = (iommu: number): IommuObserver => ({
    request: (record) =>
      this.#events.push({
        kind: 'request',
        iommu,
        ...record,
        bytes: record.bytes.slice(0, record.length),
      }),
    fault: (endpoint, reason, access, address, delivered) =>
      this.#events.push({ kind: 'fault', iommu, endpoint, reason, access, address, delivered }),
  });

  /** All since the last time. */
  take(): readonly (LoggedRequest | LoggedFault)[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}
