/** Which fields each kind of event has, in the order in which they are in a trace, and how each is written. */
import type { TraceEvent } from './trace-events.ts';

/**
 * `number` is a variable-length integer from 0 to 2^53 - 1. `address` is one as the difference from the place where the event
 * with an address before it ended. `flag` is a byte, 0 or 1. `bytes` and `text` have their length before them.
 */
export type FieldType = 'number' | 'address' | 'flag' | 'bytes' | 'text' | 'regions';

type Kind = TraceEvent['kind'];

type FieldsOf<K extends Kind> = {
  readonly [F in Exclude<keyof Extract<TraceEvent, { kind: K }>, 'kind'>]: FieldType;
};

const ON_FUNCTION = { time: 'number', function: 'number' } as const;
const CONFIG_ACCESS = {
  ...ON_FUNCTION,
  offset: 'number',
  width: 'number',
  value: 'number',
} as const;
const BAR_ACCESS = { ...CONFIG_ACCESS, bar: 'number' } as const;
const ON_NETWORK = { time: 'number', network: 'number' } as const;
const RANGE = { address: 'address', length: 'number' } as const;
const AT_ADDRESS = { address: 'address', bytes: 'bytes' } as const;

/** The position of a kind is its number in a trace: new kinds come at the end. */
export const EVENT_FIELDS: { readonly [K in Kind]: FieldsOf<K> } = {
  connect: { ...ON_FUNCTION, ownsMsixTable: 'flag' },
  disconnect: ON_FUNCTION,
  reset: ON_FUNCTION,
  regions: { ...ON_FUNCTION, isShared: 'flag', regions: 'regions' },
  memoryChanged: ON_FUNCTION,
  readConfig: CONFIG_ACCESS,
  writeConfig: CONFIG_ACCESS,
  readBar: BAR_ACCESS,
  writeBar: BAR_ACCESS,
  service: ON_FUNCTION,
  networkReady: ON_NETWORK,
  end: { time: 'number' },
  dmaRead: AT_ADDRESS,
  dmaReadAgain: RANGE,
  dmaReadDenied: RANGE,
  dmaWrite: AT_ADDRESS,
  dmaWriteSummed: { ...RANGE, sum: 'number' },
  dmaWriteDenied: RANGE,
  intx: { asserted: 'flag' },
  msix: { vector: 'number', address: 'number', data: 'number' },
  diskRead: { disk: 'number', ...AT_ADDRESS },
  diskReadAgain: { disk: 'number', ...RANGE },
  diskWrite: { disk: 'number', ...RANGE, sum: 'number' },
  diskFlush: { disk: 'number' },
  diskFailed: { disk: 'number', message: 'text' },
  random: { bytes: 'bytes' },
  networkState: { network: 'number', linkUp: 'flag', canSend: 'flag' },
  networkTells: { network: 'number', what: 'number' },
  networkReceive: { network: 'number', bytes: 'bytes' },
  networkNothing: { network: 'number' },
  networkSend: { network: 'number', bytes: 'bytes' },
  networkFlush: { network: 'number' },
  served: { workLeft: 'flag' },
};

export const EVENT_KINDS = Object.keys(EVENT_FIELDS) as readonly Kind[];

/** Every operation has a time, and no effect has. */
export function isOperation(event: TraceEvent): event is Extract<TraceEvent, { time: number }> {
  return 'time' in event;
}

/** Where an event with an address ends: the next one is likely to begin there. */
export function endOf(address: number, event: { bytes?: Uint8Array; length?: number }): number {
  return address + (event.bytes?.length ?? event.length ?? 0);
}
