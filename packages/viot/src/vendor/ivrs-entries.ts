/** The device entries of a hardware definition block of the IVRS. */
import { hex } from '../describe.ts';
import type { PassedOver } from '../passed-over.ts';
import { ViotError } from '../viot-error.ts';

/** Functions that entries name. */
interface FunctionSpan {
  /** Of the entry, from the start of the table. */
  readonly offset: number;
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
  /** What the IOMMU knows all of them by; undefined when that is the BDF of each. */
  readonly alias: number | undefined;
}

export type DeviceSpan = FunctionSpan | PassedOver;

// "IVHD Device Entry Type Codes".
const PAD_4 = 0x00;
const PAD_8 = 0x40;
const ALIAS_SELECT = 0x42;
const ALIAS_START_RANGE = 0x43;
const SPECIAL = 0x48;
const ACPI_HID = 0xf0;
const KINDS: ReadonlyMap<number, 'all' | 'select' | 'start' | 'end'> = new Map([
  [0x01, 'all'],
  [0x02, 'select'],
  [0x03, 'start'],
  [0x04, 'end'],
  [ALIAS_SELECT, 'select'],
  [ALIAS_START_RANGE, 'start'],
  // With extended data, which is about the device and not about where it is.
  [0x46, 'select'],
  [0x47, 'start'],
]);

const ENTRY_DEVICE_ID = 1;
const ENTRY_ALIAS = 5;
const HID_UID_LENGTH = 21;
const HID_SIZE = 22;

const LAST_BDF = 0xffff;

/** @throws ViotError `NODE_BOUNDS`, `RANGE` */
export function readDeviceEntries(view: DataView, start: number, end: number): DeviceSpan[] {
  const spans: DeviceSpan[] = [];
  let open: Omit<FunctionSpan, 'end'> | undefined;
  for (let offset = start; offset < end; ) {
    const length = entryLength(view, offset, end);
    const type = view.getUint8(offset);
    const id = view.getUint16(offset + ENTRY_DEVICE_ID, true);
    const kind = KINDS.get(type);
    if (kind === undefined) {
      const reason = reasonToPassOver(type, id);
      if (reason !== undefined) spans.push({ offset, reason });
    } else {
      if ((kind === 'end') !== (open !== undefined)) throw unpaired(open?.offset ?? offset);
      const hasAlias = type === ALIAS_SELECT || type === ALIAS_START_RANGE;
      const alias = hasAlias ? view.getUint16(offset + ENTRY_ALIAS, true) : undefined;
      if (kind === 'start') open = { offset, start: id, alias };
      else if (kind === 'end') {
        spans.push(closed(open!, id));
        open = undefined;
      } else {
        const [first, last] = kind === 'all' ? [0, LAST_BDF] : [id, id];
        spans.push({ offset, start: first, end: last, alias });
      }
    }
    offset += length;
  }
  if (open !== undefined) throw unpaired(open.offset);
  return spans;
}

function closed(open: Omit<FunctionSpan, 'end'>, end: number): FunctionSpan {
  if (end >= open.start) return { ...open, end };
  throw new ViotError(
    'RANGE',
    `the range at ${open.offset} ends before it starts: BDFs ${hex(open.start)} to ${hex(end)}`,
    open.offset,
  );
}

function reasonToPassOver(type: number, id: number): string | undefined {
  // I/O APICs and HPETs send interrupts and no other DMA.
  if (type === PAD_4 || type === PAD_8 || type === SPECIAL) return undefined;
  return type === ACPI_HID
    ? `the device with ID ${hex(id)} is known by its ACPI name, and has no address in the IVRS`
    : `a device entry of type ${hex(type)} is not known`;
}

/** The two highest bits of the type tell it; an entry with an ACPI name says it itself. */
function entryLength(view: DataView, offset: number, end: number): number {
  const type = view.getUint8(offset);
  const size = type === ACPI_HID ? HID_SIZE : 4 << (type >>> 6);
  const room = end - offset;
  const length =
    type === ACPI_HID && size <= room ? HID_SIZE + view.getUint8(offset + HID_UID_LENGTH) : size;
  if (length > room) {
    throw new ViotError(
      'NODE_BOUNDS',
      `the device entry at ${offset} does not fit: ${length} bytes, and its block has ${room} from there on`,
      offset,
    );
  }
  return length;
}

function unpaired(offset: number): ViotError {
  return new ViotError(
    'RANGE',
    `the entry at ${offset} starts or ends a range, and the entry that goes with it is missing`,
    offset,
  );
}
