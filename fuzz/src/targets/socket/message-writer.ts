/** MessageWriter: makes vfio-user messages of an input: near valid ones, with fields, sizes and flags that are not. */
import type { InputReader } from '../../engine/input-reader.ts';

const HEADER = 16;
const VERSIONS = [
  '{"capabilities":{"max_msg_fds":16,"max_data_xfer_size":1048576,"write_multiple":true}}',
  '{"capabilities":{"max_data_xfer_size":64}}',
  '{"capabilities":{"max_data_xfer_size":0}}',
  '{"capabilities":[]}',
  '{"capabilities":{"max_data_xfer_size":null,"write_multiple":1}}',
  '{}',
  '',
  '{"capabilities":',
];
const ADDRESSES = [
  0,
  0x1000,
  0x2000,
  0x3000,
  0x1388,
  0x800,
  0xfff,
  0x1_0000_0000,
  2 ** 53 - 0x2000,
  2 ** 53 - 1,
  2 ** 64,
];
const LENGTHS = [0x1000, 0x2000, 0x1388, 0x800, 1, 0, 0x3000, 2 ** 53 - 1, 2 ** 64];
/** Of registers: those that do something, and ends of regions. */
const OFFSETS = [0x20, 0x24, 0, 4, 0x3f8, 0x3fc, 0xfc, 0xfe, 0x3ff, 0x3_fffc, 0x4_0000, 2 ** 64];
const REGIONS = [0, 7, 2, 0, 1, 8, 9];
const COUNTS = [4, 1, 2, 8, 3, 0, 16, 0x100, 0x4_0000, 0x10_0000, 0xffff_ffff];
const IRQ_FLAGS = [0x24, 0x21, 0x22, 0x09, 0x11, 0x0a, 0x12, 0x14, 0x20, 0x23, 0x64];
/** Most bytes of data of one message that an input can say the length of. */
const DATA_MAX = 64;

export class MessageWriter {
  readonly #input: InputReader;
  #parts: number[] = [];

  constructor(input: InputReader) {
    this.#input = input;
  }

  /** The start of most sessions. */
  static version(text = VERSIONS[0]!): Uint8Array {
    const bytes = Buffer.from(`\0\0\0\0${text}\0`);
    const header = Buffer.alloc(HEADER);
    header.writeUInt16LE(1, 0);
    header.writeUInt16LE(1, 2);
    header.writeUInt32LE(HEADER + bytes.length, 4);
    return new Uint8Array(Buffer.concat([header, bytes]));
  }

  /** @param command of a template, or any */
  message(command: number): Uint8Array {
    const input = this.#input;
    this.#parts = [];
    const code = input.byte();
    this.#put(code >= 0xf0 ? input.word16() : code, 2);
    this.#put(command, 2);
    this.#put(0, 4);
    this.#put(this.#flags(), 4);
    this.#put(0, 4);
    this.#body(command);
    const bytes = Uint8Array.from(this.#parts);
    return this.#sized(bytes);
  }

  /** A reply to what the server asked, or to nothing. */
  reply(id: number, command: number, flags: number, body: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(HEADER + body.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, id, true);
    view.setUint16(2, command, true);
    view.setUint32(4, bytes.length, true);
    view.setUint32(8, flags, true);
    bytes.set(body, HEADER);
    return bytes;
  }

  #body(command: number): void {
    const input = this.#input;
    switch (command) {
      case 1: {
        this.#put(input.byte() >= 0xf0 ? 1 : 0, 2);
        this.#put(input.byte() % 2, 2);
        const text = input.pick(VERSIONS);
        for (const sign of text) this.#put(sign.charCodeAt(0), 1);
        if (input.byte() < 0xe0) this.#put(0, 1);
        break;
      }
      case 2:
        this.#put(32, 4);
        this.#put(this.#rarely(input.byte() % 4), 4);
        this.#put(this.#chosen([0, 0, 0x1000, 0x388, 2 ** 64]), 8);
        this.#put(this.#chosen(ADDRESSES), 8);
        this.#put(this.#chosen(LENGTHS), 8);
        break;
      case 3:
        this.#put(24, 4);
        this.#put(this.#rarely(input.byte() >= 0xc0 ? 2 : 0), 4);
        this.#put(this.#chosen(ADDRESSES), 8);
        this.#put(this.#chosen(LENGTHS), 8);
        break;
      case 4:
        for (let field = 0; field < 4; field += 1) this.#put(0, 4);
        break;
      case 5:
      case 7:
        this.#put(command === 5 ? 32 : 16, 4);
        this.#put(0, 4);
        this.#put(this.#rarely(input.byte() % 10), 4);
        for (let left = command === 5 ? 5 : 1; left > 0; left -= 1) this.#put(0, 4);
        break;
      case 8:
        this.#irqs();
        break;
      case 9:
        this.#access();
        break;
      case 10: {
        const count = this.#access();
        for (let left = Math.min(count, DATA_MAX); left > 0; left -= 1) this.#put(input.byte(), 1);
        break;
      }
      case 15: {
        const count = this.#chosen([1, 2, 3, 0, 200, 201, 2 ** 64]);
        this.#put(count, 8);
        for (let left = Math.min(count, 4); left > 0; left -= 1) {
          this.#access();
          this.#put(input.word32(), 4);
          this.#put(0, 4);
        }
        break;
      }
      case 13:
        break;
      default:
        for (let left = input.byte() % DATA_MAX; left > 0; left -= 1) this.#put(input.byte(), 1);
    }
  }

  #irqs(): void {
    const input = this.#input;
    const flags = this.#chosen(IRQ_FLAGS);
    const count = this.#chosen([1, 2, 4, 0, 3, 5]);
    this.#put(20, 4);
    this.#put(flags, 4);
    this.#put(this.#rarely([2, 0, 2, 1][input.byte() % 4]!), 4);
    this.#put(this.#chosen([0, 1, 2, 3, 4, 0xffff_ffff]), 4);
    this.#put(count, 4);
    if ((flags & 7) !== 2) return;
    for (let left = Math.min(count, DATA_MAX); left > 0; left -= 1) this.#put(input.byte() % 2, 1);
  }

  #access(): number {
    const count = this.#chosen(COUNTS);
    this.#put(this.#chosen(OFFSETS), 8);
    this.#put(this.#rarely(this.#input.pick(REGIONS)), 4);
    this.#put(count, 4);
    return count;
  }

  /** Mostly a command that wants a reply. */
  #flags(): number {
    const code = this.#input.byte();
    if (code < 0xc0) return 0;
    if (code < 0xf0) return 0x10;
    return code < 0xf8 ? code % 8 : this.#input.word32();
  }

  /** Its length where its header says it, but for some that are cut, are longer, or say something else. */
  #sized(bytes: Uint8Array): Uint8Array {
    const code = this.#input.byte();
    let sized = bytes;
    if (code >= 0xe0 && code < 0xf0) {
      sized = new Uint8Array(Math.max(bytes.length + (code % 16) * 4 - 32, HEADER));
      sized.set(bytes.subarray(0, sized.length));
    }
    const said = code < 0xf0 ? sized.length : code < 0xf8 ? sized.length + code - 0xf4 : 0;
    const size = code >= 0xf8 ? this.#input.word32() : said;
    new DataView(sized.buffer).setUint32(4, size, true);
    return sized;
  }

  #chosen(choices: readonly number[]): number {
    const code = this.#input.byte();
    if (code < 0xf0) return choices[code % choices.length]!;
    return code < 0xf8 ? this.#input.word16() : this.#input.word32();
  }

  #rarely(usual: number): number {
    const code = this.#input.byte();
    return code < 0xf0 ? usual : code < 0xf8 ? code : this.#input.word32();
  }

  /** Little-endian; 2^64 stands for the largest that there is. */
  #put(value: number, width: number): void {
    let left = value;
    for (let byte = 0; byte < width; byte += 1) {
      this.#parts.push(value >= 2 ** (8 * width) ? 0xff : left % 256);
      left = Math.floor(left / 256);
    }
  }
}
