/** encodeInDevice: the endpoints of one IOMMU as it tells them itself, where neither ACPI nor a device tree does. */
import { describeIommu } from '../describe.ts';
import { type EndpointRange, IDS_PER_SEGMENT, type Topology } from '../topology.ts';
import { checkTopology, checkVirtio } from '../topology-check.ts';
import { ViotError } from '../viot-error.ts';
import {
  HEAD_COUNT,
  HEAD_OFFSET,
  HEAD_SIZE,
  ITEM_ALIGNMENT,
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

/** Places in the configuration space, in bytes from its start. */
export interface InDevicePlace {
  readonly headOffset: number;
  /** A multiple of 8 behind the head; by default the first one. */
  readonly itemsOffset?: number;
}

const UINT16_MAX = 0xffff;

/**
 * What belongs at `headOffset` of the configuration space: the head, and the items up to the last. An item has one segment:
 * a range of several becomes one item for each.
 *
 * @param index of the IOMMU in the topology; the endpoints of the others are left out
 * @throws ViotError as `writeViot` does for what a guest would read differently from what was meant; `IOMMU` also when the
 * topology has no such IOMMU or it is no virtio device, `SIZE` for more items than 16 bits can count, or for an offset that
 * they cannot hold or that is not aligned
 */
export function encodeInDevice(
  topology: Topology,
  index: number,
  { headOffset, itemsOffset = roundUp(headOffset + HEAD_SIZE) }: InDevicePlace,
): Uint8Array {
  checkTopology(topology);
  const iommu = topology.iommus[index];
  if (iommu === undefined) {
    throw new ViotError(
      'IOMMU',
      `IOMMU ${index}: the topology has ${topology.iommus.length}, counted from 0`,
    );
  }
  checkVirtio([iommu], 'its configuration space');
  checkPlace(headOffset, itemsOffset);
  const endpoints = topology.endpoints.filter((range) => range.iommu === index);
  const count = endpoints.reduce((sum, range) => sum + segmentCount(range), 0);
  if (count > UINT16_MAX) {
    throw new ViotError(
      'SIZE',
      `${count} items for ${describeIommu(iommu)}: 16 bits count them, and each segment of a range takes one`,
    );
  }
  const gap = itemsOffset - headOffset;
  const bytes = new Uint8Array(count === 0 ? HEAD_SIZE : gap + count * ITEM_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint16(HEAD_COUNT, count, true);
  view.setUint16(HEAD_OFFSET, count === 0 ? 0 : itemsOffset, true);
  let at = gap;
  for (const range of endpoints) {
    for (let segment = 0; segment < segmentCount(range); segment++) {
      writeItem(new DataView(bytes.buffer, at, ITEM_SIZE), range, segment);
      at += ITEM_SIZE;
    }
  }
  return bytes;
}

/** @param segment counted from the first of the range */
function writeItem(item: DataView, range: EndpointRange, segment: number): void {
  item.setUint16(ITEM_LENGTH, ITEM_SIZE, true);
  if (range.kind === 'mmio') {
    item.setUint8(ITEM_TYPE, ITEM_MMIO_ENDPOINT);
    item.setUint32(MMIO_ENDPOINT_ID, range.endpoint, true);
    item.setBigUint64(MMIO_ENDPOINT_ADDRESS, BigInt(range.base), true);
    return;
  }
  item.setUint8(ITEM_TYPE, ITEM_PCI_RANGE);
  item.setUint32(PCI_RANGE_ENDPOINT_START, range.endpointStart + segment * IDS_PER_SEGMENT, true);
  item.setUint16(PCI_RANGE_SEGMENT, range.segmentStart + segment, true);
  item.setUint16(PCI_RANGE_BDF_START, range.bdfStart, true);
  item.setUint16(PCI_RANGE_BDF_END, range.bdfEnd, true);
}

function segmentCount(range: EndpointRange): number {
  return range.kind === 'mmio' ? 1 : range.segmentEnd - range.segmentStart + 1;
}

function checkPlace(headOffset: number, itemsOffset: number): void {
  const isPlace =
    Number.isInteger(headOffset) &&
    headOffset >= 0 &&
    Number.isInteger(itemsOffset) &&
    itemsOffset % ITEM_ALIGNMENT === 0 &&
    itemsOffset >= headOffset + HEAD_SIZE &&
    itemsOffset <= UINT16_MAX;
  if (isPlace) return;
  throw new ViotError(
    'SIZE',
    `head at ${headOffset}, items at ${itemsOffset}: items belong behind the head of ${HEAD_SIZE} bytes, at a multiple of ${ITEM_ALIGNMENT} below 64 KiB`,
  );
}

function roundUp(offset: number): number {
  return Math.ceil(offset / ITEM_ALIGNMENT) * ITEM_ALIGNMENT;
}
