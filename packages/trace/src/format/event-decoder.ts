/** EventDecoder: the bytes of a trace, in chunks of any length, as its header and its events. */
import { TraceError } from '../trace-error.ts';
import { HEADER_LENGTH_BYTES, LARGEST_ITEM, REGIONS_MAX, TRACE_MAGIC } from './constants.ts';
import { EVENT_FIELDS, EVENT_KINDS, endOf, type FieldType } from './event-fields.ts';
import type { TraceEvent } from './trace-events.ts';
import { decodeText } from './utf8.ts';

const FIELDS = EVENT_KINDS.map(
  (kind) => [kind, Object.entries(EVENT_FIELDS[kind]) as [string, FieldType][]] as const,
);

/** Thrown and caught in this file: the next item is not whole yet. */
const NOT_YET = Symbol('more bytes are needed');

export class EventDecoder {
  #bytes = new Uint8Array(0);
  #position = 0;
  #lastEnd = 0;

  /** Adds bytes behind those that are there. */
  push(chunk: Uint8Array): void {
    const rest = this.#bytes.subarray(this.#position);
    const joined = new Uint8Array(rest.length + chunk.length);
    joined.set(rest);
    joined.set(chunk, rest.length);
    this.#bytes = joined;
    this.#position = 0;
  }

  /** Bytes that are there and were not taken. */
  get waiting(): number {
    return this.#bytes.length - this.#position;
  }

  /**
   * @returns the header as JSON has it, undefined while more bytes are needed
   * @throws TraceError
   */
  header(): unknown {
    return this.#whole(() => {
      const magic = this.#take(TRACE_MAGIC.length);
      const version = magic.at(-1)!;
      if (magic.some((byte, index) => byte !== TRACE_MAGIC[index] && index < magic.length - 1)) {
        throw new TraceError('this is no trace: it does not begin as one');
      }
      if (version !== TRACE_MAGIC.at(-1)) {
        throw new TraceError(`a trace of version ${version}: this program reads version 1`);
      }
      const length = this.#take(HEADER_LENGTH_BYTES);
      const { buffer, byteOffset } = length;
      const json = this.#take(new DataView(buffer, byteOffset).getUint32(0, true));
      const text = decodeText(json);
      try {
        return JSON.parse(text) as unknown;
      } catch {
        throw new TraceError('the header of the trace is damaged: it is no JSON');
      }
    });
  }

  /**
   * @returns undefined while more bytes are needed
   * @throws TraceError
   */
  event(): TraceEvent | undefined {
    return this.#whole(() => {
      const number = this.#number();
      const entry = FIELDS[number];
      if (entry === undefined) {
        throw new TraceError(`the trace is damaged: there is no event of kind ${number}`);
      }
      const [kind, fields] = entry;
      const event: Record<string, unknown> = { kind };
      let address: number | undefined;
      for (const [name, type] of fields) {
        event[name] = this.#field(type);
        if (type === 'address') address = event[name] as number;
      }
      if (address !== undefined) {
        this.#lastEnd = checked(endOf(address, event));
      }
      return event as unknown as TraceEvent;
    });
  }

  /** Takes an item, or nothing at all. */
  #whole<T>(read: () => T): T | undefined {
    const before = this.#position;
    try {
      return read();
    } catch (problem) {
      if (problem !== NOT_YET) throw problem;
      this.#position = before;
      return undefined;
    }
  }

  #field(type: FieldType): unknown {
    switch (type) {
      case 'number':
        return this.#number();
      case 'address':
        return checked(this.#lastEnd + this.#difference());
      case 'flag':
        return this.#number() !== 0;
      case 'bytes':
        return this.#take(this.#number()).slice();
      case 'text':
        return decodeText(this.#take(this.#number()));
      case 'regions':
        return this.#regions();
    }
  }

  #regions(): unknown {
    const count = this.#number();
    if (count > REGIONS_MAX) throw new TraceError(`the trace is damaged: ${count} memory regions`);
    return Array.from({ length: count }, () => {
      const start = this.#number();
      const end = this.#number();
      return { start, end, access: this.#number() };
    });
  }

  #difference(): number {
    const first = this.#byte();
    let size = (first & 0x7f) >>> 1;
    if (first >= 0x80) size += 64 * this.#number();
    return (first & 1) === 0 ? size : -size;
  }

  #number(): number {
    let value = 0;
    for (let weight = 1; ; weight *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * weight;
      if (byte < 0x80) return checked(value);
      checked(value);
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.#position];
    if (byte === undefined) throw NOT_YET;
    this.#position += 1;
    return byte;
  }

  #take(length: number): Uint8Array {
    if (length > LARGEST_ITEM)
      throw new TraceError(`the trace is damaged: ${length} bytes at once`);
    const end = this.#position + length;
    if (end > this.#bytes.length) throw NOT_YET;
    const taken = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return taken;
  }
}

function checked(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new TraceError('the trace is damaged: a number is out of range');
  }
  return value;
}
