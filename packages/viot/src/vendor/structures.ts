/** Walks structures that lie one behind another, each with its type and length at its head. */
import { ViotError } from '../viot-error.ts';

/** What a kind of structure begins with. */
export interface StructureHead {
  /** As messages name the structures. */
  readonly name: string;
  /** Bytes that each of them has at least. */
  readonly size: number;
  /** Of the type, which is at the very start, in bytes. */
  readonly typeSize: 1 | 2;
  readonly lengthOffset: number;
  readonly lengthSize: 1 | 2;
}

export interface Structure {
  readonly type: number;
  /** From the start of the table. */
  readonly offset: number;
  /** With the head. */
  readonly length: number;
}

/** All of them from `start` until `end`. @throws ViotError `NODE_BOUNDS` */
export function* structures(
  view: DataView,
  start: number,
  end: number,
  head: StructureHead,
): Generator<Structure> {
  for (let offset = start; offset < end; ) {
    const structure = structureAt(view, offset, end, head);
    yield structure;
    offset += structure.length;
  }
}

/** @param end where the table, or what contains the structure, ends. @throws ViotError `NODE_BOUNDS` */
export function structureAt(
  view: DataView,
  offset: number,
  end: number,
  head: StructureHead,
): Structure {
  const { name, size, typeSize, lengthOffset, lengthSize } = head;
  const room = end - offset;
  const length = room < size ? room : field(view, offset + lengthOffset, lengthSize);
  if (room < size || length < size || length > room) {
    throw new ViotError(
      'NODE_BOUNDS',
      `the ${name} at ${offset} does not fit: ${Math.max(length, 0)} bytes, where ${size} to ${Math.max(room, 0)} can be`,
      offset,
    );
  }
  return { type: field(view, offset, typeSize), offset, length };
}

/** @param size what a structure of its type has. @throws ViotError `NODE_BOUNDS` */
export function checkSize({ offset, length }: Structure, name: string, size: number): void {
  if (length >= size) return;
  throw new ViotError(
    'NODE_BOUNDS',
    `the ${name} at ${offset} has ${length} bytes, and needs ${size}`,
    offset,
  );
}

function field(view: DataView, at: number, size: 1 | 2): number {
  return size === 1 ? view.getUint8(at) : view.getUint16(at, true);
}
