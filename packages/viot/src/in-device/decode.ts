/** readInDevice: the endpoints that an IOMMU tells in its configuration space, checked as a guest has to. */
import { hex } from '../describe.ts';
import type { PassedOver } from '../passed-over.ts';
import type { EndpointRange } from '../topology.ts';
import { ViotError } from '../viot-error.ts';
import {
  HEAD_COUNT,
  HEAD_OFFSET,
  HEAD_SIZE,
  ITEM_HEADER_SIZE,
  ITEM_LENGTH,
  ITEM_MMIO_ENDPOINT,
  ITEM_PCI_RANGE,
  ITEM_SIZE,
  ITEM_TYPE,
  MMIO_ENDPOINT_ADDRESS,
  MMIO_ENDPOINT_ID,
  PCI_RANGE_BDF_END,
  PCI_RANGE_BDF_START,
  PCI_RANGE_ENDPOINT_START,
  PCI_RANGE_SEGMENT,
} from './layout.ts';

/** A device's configuration space, or a copy of it. */
export interface ConfigSource {
  /** Bytes that there are. */
  readonly size: number;
  /** Little-endian and unsigned; naturally aligned when the head is at a multiple of 4 and the items at one of 8. */
  read(offset: number, width: 1 | 2 | 4): number;
}

const TWO_TO_32 = 2 ** 32;

/**
 * The endpoints in the order of their items, all with IOMMU 0: the device itself. Items of unknown types are passed over.
 *
 * @param headOffset of the head in the configuration space, in bytes
 * @param passedOver told of items of unknown types
 * @throws ViotError, with the offset in the configuration space, when the guest has to drop all of it: `LENGTH` when the
 * head lies outside, `NODE_BOUNDS`, `RANGE`, `ADDRESS`
 */
export function readInDevice(
  source: ConfigSource,
  headOffset: number,
  passedOver?: (what: PassedOver) => void,
): EndpointRange[] {
  if (headOffset + HEAD_SIZE > source.size) {
    throw new ViotError(
      'LENGTH',
      `the configuration space has ${source.size} bytes, too few for a head at ${headOffset}`,
      headOffset,
    );
  }
  const count = source.read(headOffset + HEAD_COUNT, 2);
  let offset = source.read(headOffset + HEAD_OFFSET, 2);
  if (offset === 0) return [];
  const endpoints: EndpointRange[] = [];
  for (let index = 0; index < count; index++) {
    const length = itemLength(source, offset);
    const type = source.read(offset + ITEM_TYPE, 1);
    if (type === ITEM_PCI_RANGE || type === ITEM_MMIO_ENDPOINT) {
      if (length < ITEM_SIZE) throw misfit(offset, length, `its type has ${ITEM_SIZE}`);
      endpoints.push(
        type === ITEM_PCI_RANGE ? pciRange(source, offset) : mmioEndpoint(source, offset),
      );
    } else passedOver?.({ offset, reason: `an item of type ${type} is not known` });
    offset += length;
  }
  return endpoints;
}

/** As {@link readInDevice}, from a copy of the whole configuration space. */
export function decodeInDevice(
  config: Uint8Array,
  headOffset: number,
  passedOver?: (what: PassedOver) => void,
): EndpointRange[] {
  const view = new DataView(config.buffer, config.byteOffset, config.byteLength);
  const source: ConfigSource = {
    size: config.length,
    read(offset, width) {
      if (width === 1) return view.getUint8(offset);
      return width === 2 ? view.getUint16(offset, true) : view.getUint32(offset, true);
    },
  };
  return readInDevice(source, headOffset, passedOver);
}

function itemLength(source: ConfigSource, offset: number): number {
  const room = source.size - offset;
  if (room < ITEM_HEADER_SIZE) throw misfit(offset, ITEM_HEADER_SIZE, roomText(room));
  const length = source.read(offset + ITEM_LENGTH, 2);
  if (length < ITEM_HEADER_SIZE || length > room) throw misfit(offset, length, roomText(room));
  return length;
}

function pciRange(source: ConfigSource, offset: number): EndpointRange {
  const segment = source.read(offset + PCI_RANGE_SEGMENT, 2);
  const bdfStart = source.read(offset + PCI_RANGE_BDF_START, 2);
  const bdfEnd = source.read(offset + PCI_RANGE_BDF_END, 2);
  if (bdfEnd < bdfStart) {
    throw new ViotError(
      'RANGE',
      `the item at ${offset} ends before it starts: BDFs ${hex(bdfStart)} to ${hex(bdfEnd)}`,
      offset,
    );
  }
  const segments = { segmentStart: segment, segmentEnd: segment };
  const endpointStart = source.read(offset + PCI_RANGE_ENDPOINT_START, 4);
  return { kind: 'pci', ...segments, bdfStart, bdfEnd, endpointStart, iommu: 0 };
}

function mmioEndpoint(source: ConfigSource, offset: number): EndpointRange {
  const at = offset + MMIO_ENDPOINT_ADDRESS;
  const base = source.read(at, 4) + source.read(at + 4, 4) * TWO_TO_32;
  if (!Number.isSafeInteger(base)) {
    throw new ViotError('ADDRESS', `${hex(base)} is no address below 2^53`, at);
  }
  return { kind: 'mmio', base, endpoint: source.read(offset + MMIO_ENDPOINT_ID, 4), iommu: 0 };
}

function roomText(room: number): string {
  return `there are ${Math.max(room, 0)} from there on, and its head takes ${ITEM_HEADER_SIZE}`;
}

function misfit(offset: number, length: number, why: string): ViotError {
  return new ViotError('NODE_BOUNDS', `the item at ${offset} has ${length} bytes: ${why}`, offset);
}
