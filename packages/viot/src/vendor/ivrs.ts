/** readIvrs: the topology of an IVRS, the ACPI table of AMD's IOMMU. */
import { readAddress } from '../address-field.ts';
import { openTable } from '../table/acpi-header.ts';
import type { Topology } from '../topology.ts';
import { type DeviceSpan, readDeviceEntries } from './ivrs-entries.ts';
import { checkSize, type StructureHead, structures } from './structures.ts';
import { type SegmentRange, TopologyCollector } from './topology-collector.ts';
import type { VendorTableOptions } from './vendor-options.ts';

export const IVRS_SIGNATURE = 'IVRS';
const IVRS_HEADER_SIZE = 48;

const BLOCK: StructureHead = {
  name: 'block',
  size: 4,
  typeSize: 1,
  lengthOffset: 2,
  lengthSize: 2,
};

// "I/O Virtualization Hardware Definition (IVHD) Block": types, and the size of each before its device entries.
const IVHD_SIZES: ReadonlyMap<number, number> = new Map([
  [0x10, 24],
  [0x11, 40],
  [0x40, 40],
]);
// "I/O Virtualization Memory Definition (IVMD) Block".
const IVMD_TYPES: readonly number[] = [0x20, 0x21, 0x22];
/** The IOMMU's own BDF. */
const IVHD_DEVICE_ID = 4;
const IVHD_BASE = 8;
const IVHD_SEGMENT = 16;

interface HardwareBlock {
  readonly type: number;
  readonly segment: number;
  readonly iommu: number;
  readonly deviceId: number;
  readonly spans: readonly DeviceSpan[];
}

/**
 * The IOMMUs of a whole table, from its signature on, and the PCI functions that their device entries name. The IOMMU knows
 * a function by its BDF, or by that of its alias. Of the blocks about one IOMMU only those of the highest type are looked
 * at: 10h, 11h, then 40h. Where entries overlap the later one counts, as in Linux, and no IOMMU is behind itself.
 *
 * The model has no word for devices that are known by their ACPI name: they are passed over. Entries with an alias, which
 * is one ID for many functions, become a range for each function, for up to 4096 of them in a table.
 *
 * @throws ViotError, with the offset: `SIGNATURE`, `LENGTH`, `CHECKSUM`, `NODE_BOUNDS`, `ADDRESS`, and `RANGE` for an end
 * without a start, or the reverse
 */
export function readIvrs(bytes: Uint8Array, options: VendorTableOptions = {}): Topology {
  const view = openTable(bytes, IVRS_SIGNATURE, IVRS_HEADER_SIZE);
  const collector = new TopologyCollector(options);
  const blocks: HardwareBlock[] = [];
  /** By IOMMU. */
  const highestTypes: number[] = [];
  for (const block of structures(view, IVRS_HEADER_SIZE, view.byteLength, BLOCK)) {
    const { type, offset, length } = block;
    const size = IVHD_SIZES.get(type);
    if (size === undefined) {
      if (!IVMD_TYPES.includes(type)) {
        collector.passOver(offset, `a block of type 0x${type.toString(16)} is not known`);
      }
      continue;
    }
    checkSize(block, 'hardware definition', size);
    const iommu = collector.iommu('amd-vi', readAddress(view, offset + IVHD_BASE));
    highestTypes[iommu] = Math.max(highestTypes[iommu] ?? 0, type);
    blocks.push({
      type,
      segment: view.getUint16(offset + IVHD_SEGMENT, true),
      iommu,
      deviceId: view.getUint16(offset + IVHD_DEVICE_ID, true),
      spans: readDeviceEntries(view, offset + size, offset + length),
    });
  }
  for (const block of blocks) {
    if (block.type === highestTypes[block.iommu]) addSpans(block, collector);
  }
  return collector.topology();
}

function addSpans(block: HardwareBlock, collector: TopologyCollector): void {
  const { segment, iommu, deviceId } = block;
  for (const span of block.spans) {
    if ('reason' in span) {
      collector.passOver(span.offset, span.reason);
      continue;
    }
    const { start, end, alias, offset } = span;
    const besideItself = [
      [start, Math.min(end, deviceId - 1)],
      [Math.max(start, deviceId + 1), end],
    ] as const;
    for (const [bdfStart, bdfEnd] of besideItself) {
      if (bdfStart > bdfEnd) continue;
      const range: SegmentRange = { segment, bdfStart, bdfEnd, iommu };
      if (alias === undefined) collector.add(range, bdfStart);
      else collector.addShared(offset, range, alias);
    }
  }
}
