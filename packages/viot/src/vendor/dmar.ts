/** readDmar: the topology of a DMAR, the ACPI table of Intel VT-d. */
import { readAddress } from '../address-field.ts';
import { formatPciAddress } from '../pci-address.ts';
import { openTable } from '../table/acpi-header.ts';
import type { Topology } from '../topology.ts';
import { ViotError } from '../viot-error.ts';
import { checkSize, type Structure, type StructureHead, structures } from './structures.ts';
import { type SegmentRange, TopologyCollector } from './topology-collector.ts';
import type { BridgeBuses, VendorTableOptions } from './vendor-options.ts';

export const DMAR_SIGNATURE = 'DMAR';
const DMAR_HEADER_SIZE = 48;

const REMAPPING_STRUCTURE: StructureHead = {
  name: 'remapping structure',
  size: 4,
  typeSize: 2,
  lengthOffset: 2,
  lengthSize: 2,
};
// Types of remapping structures.
const DRHD = 0;
/** SIDP: the last type that is known; those from 1 on are about memory, caches and names of devices. */
const LAST_KNOWN_TYPE = 6;

// "DMA Remapping Hardware Unit Definition".
const DRHD_FLAGS = 4;
const DRHD_INCLUDE_PCI_ALL = 1;
const DRHD_SEGMENT = 6;
const DRHD_BASE = 8;
const DRHD_SIZE = 16;

const DEVICE_SCOPE: StructureHead = {
  name: 'device scope',
  size: 8,
  typeSize: 1,
  lengthOffset: 1,
  lengthSize: 1,
};
const SCOPE_PCI_ENDPOINT = 1;
const SCOPE_PCI_SUB_HIERARCHY = 2;
const SCOPE_IOAPIC = 3;
const SCOPE_HPET = 4;
const SCOPE_ACPI_NAMESPACE = 5;
const SCOPE_START_BUS = 5;
const SCOPE_PATH = 6;
const HOP_SIZE = 2;

const LAST_BDF = 0xffff;
const LAST_DEVICE = 31;
const LAST_FUNCTION = 7;
const LAST_DEVFN = 0xff;

/** A hardware unit whose device scopes are being read. */
interface Unit {
  readonly segment: number;
  readonly iommu: number;
  readonly includesAll: boolean;
}

/**
 * The IOMMUs of a whole table, from its signature on, and the PCI functions that their device scopes name. VT-d knows a
 * function by its BDF. Where scopes overlap the later one counts, and before all of them those units that include all
 * functions of their segment, of which the first counts; both as in Linux.
 *
 * A device scope gives the way through bridges, but not their bus numbers: without {@link VendorTableOptions.bridge} a
 * device behind a bridge is passed over, and of a sub-hierarchy all but the bridge on top. Such a device then appears to
 * be behind the unit that includes all, if its segment has one.
 *
 * @throws ViotError, with the offset: `SIGNATURE`, `LENGTH`, `CHECKSUM`, `NODE_BOUNDS`, `ADDRESS`, and `BDF` for a path of
 * which a step is no device and function
 */
export function readDmar(bytes: Uint8Array, options: VendorTableOptions = {}): Topology {
  const view = openTable(bytes, DMAR_SIGNATURE, DMAR_HEADER_SIZE);
  const collector = new TopologyCollector(options);
  const named: SegmentRange[] = [];
  const whole: SegmentRange[] = [];
  for (const structure of structures(
    view,
    DMAR_HEADER_SIZE,
    view.byteLength,
    REMAPPING_STRUCTURE,
  )) {
    const { type, offset, length } = structure;
    if (type > LAST_KNOWN_TYPE) {
      collector.passOver(offset, `a remapping structure of type ${type} is not known`);
    }
    if (type !== DRHD) continue;
    checkSize(structure, 'hardware unit', DRHD_SIZE);
    const unit = {
      segment: view.getUint16(offset + DRHD_SEGMENT, true),
      iommu: collector.iommu('vt-d', readAddress(view, offset + DRHD_BASE)),
      includesAll: (view.getUint8(offset + DRHD_FLAGS) & DRHD_INCLUDE_PCI_ALL) !== 0,
    };
    const scopes = new ScopeReader(view, unit, collector, options.bridge);
    const ranges = scopes.ranges(offset + DRHD_SIZE, offset + length);
    if (unit.includesAll) whole.unshift(rangeOf(unit, 0, LAST_BDF));
    else named.push(...ranges);
  }
  for (const range of [...whole, ...named]) collector.add(range, range.bdfStart);
  return collector.topology();
}

class ScopeReader {
  readonly #view: DataView;
  readonly #unit: Unit;
  readonly #collector: TopologyCollector;
  readonly #bridge: NonNullable<VendorTableOptions['bridge']>;

  constructor(
    view: DataView,
    unit: Unit,
    collector: TopologyCollector,
    bridge: VendorTableOptions['bridge'] = () => undefined,
  ) {
    this.#view = view;
    this.#unit = unit;
    this.#collector = collector;
    this.#bridge = bridge;
  }

  /** What the device scopes between two offsets name. */
  ranges(start: number, end: number): SegmentRange[] {
    return [...structures(this.#view, start, end, DEVICE_SCOPE)].flatMap((scope) => {
      switch (scope.type) {
        case SCOPE_PCI_ENDPOINT:
          return this.#endpoint(scope);
        case SCOPE_PCI_SUB_HIERARCHY:
          return this.#subHierarchy(scope);
        // They send interrupts and no other DMA.
        case SCOPE_IOAPIC:
        case SCOPE_HPET:
          return [];
        default:
          return this.#passOver(
            scope.offset,
            scope.type === SCOPE_ACPI_NAMESPACE
              ? 'a device known by its ACPI name has no address in the DMAR'
              : `a device scope of type ${scope.type} is not known`,
          );
      }
    });
  }

  #endpoint(scope: Structure): SegmentRange[] {
    const bdf = this.#bdf(scope);
    return bdf === undefined ? [] : [rangeOf(this.#unit, bdf, bdf)];
  }

  /** The bridge and all that is behind it. */
  #subHierarchy(scope: Structure): SegmentRange[] {
    const bdf = this.#bdf(scope);
    if (bdf === undefined) return [];
    const itself = rangeOf(this.#unit, bdf, bdf);
    const buses = this.#busesBehind(bdf);
    if (buses === undefined) return [itself, ...this.#behind(scope.offset, bdf)];
    const [start, end] = [buses.secondary << 8, (buses.subordinate << 8) | LAST_DEVFN];
    return [itself, rangeOf(this.#unit, start, end)];
  }

  /** Follows the path. @returns undefined where it leads behind a bridge whose buses are not known */
  #bdf({ offset, length }: Structure): number | undefined {
    if (length % HOP_SIZE !== 0) {
      throw new ViotError(
        'NODE_BOUNDS',
        `the device scope at ${offset} has ${length} bytes: a path has two for each step`,
        offset,
      );
    }
    let bus = this.#view.getUint8(offset + SCOPE_START_BUS);
    let bdf = 0;
    for (let at = offset + SCOPE_PATH; at < offset + length; at += HOP_SIZE) {
      if (at > offset + SCOPE_PATH) {
        const buses = this.#busesBehind(bdf);
        if (buses === undefined) {
          this.#behind(offset, bdf);
          return undefined;
        }
        bus = buses.secondary;
      }
      bdf = (bus << 8) | this.#step(at);
    }
    return bdf;
  }

  /** Of a bridge that nobody has set up, the numbers can end before they start. */
  #busesBehind(bdf: number): BridgeBuses | undefined {
    const buses = this.#bridge(this.#unit.segment, bdf);
    return buses === undefined || buses.subordinate < buses.secondary ? undefined : buses;
  }

  #step(at: number): number {
    const device = this.#view.getUint8(at);
    const pciFunction = this.#view.getUint8(at + 1);
    if (device > LAST_DEVICE || pciFunction > LAST_FUNCTION) {
      throw new ViotError(
        'BDF',
        `the path leads to device ${device}, function ${pciFunction} at ${at}: the last ones are ${LAST_DEVICE} and ${LAST_FUNCTION}`,
        at,
      );
    }
    return (device << 3) | pciFunction;
  }

  #behind(offset: number, bdf: number): SegmentRange[] {
    const bridge = formatPciAddress({ segment: this.#unit.segment, bdf });
    return this.#passOver(
      offset,
      `what is behind bridge ${bridge} has bus numbers that the table does not say`,
    );
  }

  #passOver(offset: number, reason: string): SegmentRange[] {
    // Behind the unit that includes all there is nothing to miss.
    if (!this.#unit.includesAll) this.#collector.passOver(offset, reason);
    return [];
  }
}

function rangeOf({ segment, iommu }: Unit, bdfStart: number, bdfEnd: number): SegmentRange {
  return { segment, bdfStart, bdfEnd, iommu };
}
