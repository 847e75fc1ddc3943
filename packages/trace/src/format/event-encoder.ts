/** EventEncoder: header and events as the bytes of a trace, in chunks. */
import { HEADER_LENGTH_BYTES, TRACE_MAGIC } from './constants.ts';
import { EVENT_FIELDS, EVENT_KINDS, endOf, type FieldType } from './event-fields.ts';
import type { TraceEvent, TraceHeader } from './trace-events.ts';
import { encodeText } from './utf8.ts';

const CHUNK = 65536;
/** No field but bytes and text takes more, and each region of a list takes less. */
const LARGEST_NUMBER = 32;
const NUMBERS = new Map(EVENT_KINDS.map((kind, index) => [kind, index]));
const FIELDS = new Map(
  EVENT_KINDS.map((kind) => [kind, Object.entries(EVENT_FIELDS[kind]) as [string, FieldType][]]),
);

export class EventEncoder {
  readonly #write: (chunk: Uint8Array) => void;
  #chunk = new Uint8Array(CHUNK);
  #length = 0;
  /** See the type `address` of fields. */
  #lastEnd = 0;

  /** @param write takes a chunk of bytes, which is its own to keep */
  constructor(header: TraceHeader, write: (chunk: Uint8Array) => void) {
    this.#write = write;
    const json = encodeText(JSON.stringify(header));
    this.#bytes(TRACE_MAGIC);
    const length = new Uint8Array(HEADER_LENGTH_BYTES);
    new DataView(length.buffer).setUint32(0, json.length, true);
    this.#bytes(length);
    this.#bytes(json);
  }

  encode(event: TraceEvent): void {
    const { kind, ...values } = event;
    this.#number(NUMBERS.get(kind)!);
    const fields: Readonly<Record<string, unknown>> = values;
    for (const [name, type] of FIELDS.get(kind)!) this.#field(type, fields[name], fields);
  }

  /** Hands out what has been encoded. */
  flush(): void {
    if (this.#length === 0) return;
    this.#write(this.#chunk.subarray(0, this.#length));
    this.#chunk = new Uint8Array(CHUNK);
    this.#length = 0;
  }

  #field(type: FieldType, value: unknown, fields: { bytes?: Uint8Array; length?: number }): void {
    switch (type) {
      case 'number':
        this.#number(value as number);
        return;
      case 'address':
        this.#difference((value as number) - this.#lastEnd);
        this.#lastEnd = endOf(value as number, fields);
        return;
      case 'flag':
        this.#number(value === true ? 1 : 0);
        return;
      case 'bytes':
        this.#counted(value as Uint8Array);
        return;
      case 'text':
        this.#counted(encodeText(value as string));
        return;
      case 'regions': {
        const regions = value as readonly { start: number; end: number; access: number }[];
        this.#number(regions.length);
        for (const { start, end, access } of regions) {
          this.#number(start);
          this.#number(end);
          this.#number(access);
        }
      }
    }
  }

  /** Positive ones are even, negative ones odd; the lowest bit apart, so that both parts stay exact. */
  #difference(value: number): void {
    const isNegative = value < 0;
    const size = Math.abs(value);
    this.#room();
    this.#chunk[this.#length++] =
      ((size % 64) << 1) | (isNegative ? 1 : 0) | (size >= 64 ? 0x80 : 0);
    if (size >= 64) this.#number(Math.floor(size / 64));
  }

  #number(value: number): void {
    this.#room();
    let rest = value;
    while (rest >= 0x80) {
      this.#chunk[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#chunk[this.#length++] = rest;
  }

  #room(): void {
    if (this.#length > CHUNK - LARGEST_NUMBER) this.flush();
  }

  #counted(bytes: Uint8Array): void {
    this.#number(bytes.length);
    this.#bytes(bytes);
  }

  #bytes(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      if (this.#length === CHUNK) this.flush();
      const part = bytes.subarray(done, done + CHUNK - this.#length);
      this.#chunk.set(part, this.#length);
      this.#length += part.length;
      done += part.length;
    }
  }
}
