/** What the standard calls the queues of each device, and which of them the driver fills ahead of what is to come. */
import type { WatchedEndpoint } from './inspector-messages.ts';

export type QueueOwnerKind = 'iommu' | WatchedEndpoint['kind'];

interface NamedQueue {
  readonly name: string;
  /** Its buffers wait for an event or for a frame: how long says nothing about the device. */
  readonly isFilledAhead: boolean;
}

const REQUESTS = { isFilledAhead: false };
const AHEAD = { isFilledAhead: true };

const QUEUES: Readonly<Record<QueueOwnerKind, readonly NamedQueue[]>> = {
  iommu: [
    { name: 'requestq', ...REQUESTS },
    { name: 'eventq', ...AHEAD },
  ],
  disk: [{ name: 'requestq1', ...REQUESTS }],
  rng: [{ name: 'requestq', ...REQUESTS }],
  net: [
    { name: 'receiveq1', ...AHEAD },
    { name: 'transmitq1', ...REQUESTS },
  ],
  engine: [],
};

export function namedQueue(kind: QueueOwnerKind, queue: number): NamedQueue {
  return QUEUES[kind][queue] ?? { name: `queue ${queue}`, ...REQUESTS };
}
