/** VfioUserModel: what a server owes one client for the bytes that it sent. Numbers are written out from the protocol. */
import type { ModelFile, ModelFunction } from './vfio-user-function.ts';

const [ENOENT, EACCES, EEXIST, EINVAL, EOPNOTSUPP] = [2, 13, 17, 22, 95] as const;
const HEADER = 16;
const MESSAGE_MAX = 32 + 2 ** 20;
const DESCRIPTORS_MAX = 16;
const TRANSFER_MAX = 2 ** 20;
const ADDRESS_MAX = 2n ** 53n - 1n;
const IRQ_COUNTS = [1, 0, 4, 0, 0];

export interface ModelWindow {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
  /** 1 to read, 2 to write. */
  readonly access: number;
  /** Undefined for memory that the client does not share. */
  readonly file: ModelFile | undefined;
  readonly offset: number;
}

/** A reply that must come next. */
export interface OwedReply {
  readonly id: number;
  readonly command: number;
  readonly errno: number;
  /** All of a reply that is no error, from behind its header; undefined where it is not said byte by byte. */
  readonly body: Uint8Array | undefined;
}

export class VfioUserModel {
  isNegotiated = false;
  /** The server has to end the connection once it has paid what it owes. */
  isOver = false;
  /** It may do so: a reply came of which it depends on the moment whether it answers something. */
  mayBeOver = false;
  /** Most data in one message. */
  transferMax = TRANSFER_MAX;
  windows: ModelWindow[] = [];
  readonly owed: OwedReply[] = [];
  readonly #function: ModelFunction;
  #unparsed: Uint8Array = new Uint8Array(0);
  /** Of a message that is not whole, and where in what is not parsed the bytes end that they came with. */
  #files: ModelFile[] = [];
  #filesEnd = 0;

  constructor(pciFunction: ModelFunction) {
    this.#function = pciFunction;
  }

  /** Whether the client has sent the beginning of a message, and not its end. */
  get isWithinMessage(): boolean {
    return this.#unparsed.length > 0;
  }

  /** @param files of what is received at once: they belong to the message that has the last of the bytes */
  sent(bytes: Uint8Array, files: readonly ModelFile[]): void {
    const before = this.#unparsed.length;
    this.#unparsed = concat(this.#unparsed, bytes);
    // What is left of a message is received without descriptors, and what is left of its header by itself.
    if (files.length > 0 && before < HEADER) {
      this.#files.push(...files);
      this.#filesEnd = before === 0 ? bytes.length : HEADER;
    }
    if (this.#files.length > DESCRIPTORS_MAX) this.isOver = true;
    while (!this.isOver && this.#unparsed.length >= HEADER) {
      const size = viewOf(this.#unparsed).getUint32(4, true);
      if (size < HEADER || size > MESSAGE_MAX) this.isOver = true;
      if (this.isOver || size > this.#unparsed.length) return;
      const message = this.#unparsed.slice(0, size);
      this.#unparsed = this.#unparsed.slice(size);
      this.#take(message, this.#filesEnd <= size ? this.#files.splice(0) : []);
      this.#filesEnd -= size;
    }
  }

  /** Of memory that the function reaches, the window that has this address. */
  windowAt(address: number): ModelWindow | undefined {
    return this.windows.find(({ start, end }) => start <= address && address <= end);
  }

  #take(message: Uint8Array, files: readonly ModelFile[]): void {
    const view = viewOf(message);
    const flags = view.getUint32(8, true);
    if ((flags & 0xf) === 1) this.mayBeOver = true;
    else if ((flags & 0xf) > 1) this.isOver = true;
    if ((flags & 0xf) !== 0) return;
    const command = view.getUint16(2, true);
    const reply = this.#perform(command, view, message, files);
    if (this.#function.hasFailed) {
      this.isOver = true;
      return;
    }
    if ((flags & 0x10) !== 0) return;
    const [errno, body] = typeof reply === 'number' ? [reply, undefined] : [0, reply];
    this.owed.push({ id: view.getUint16(0, true), command, errno, body });
  }

  /** @returns the body of the reply, or an errno; 0 when there is a body that is not said */
  #perform(
    command: number,
    view: DataView,
    message: Uint8Array,
    files: readonly ModelFile[],
  ): Uint8Array | number {
    if (![1, 2, 3, 4, 5, 7, 8, 9, 10, 13, 15].includes(command)) return EOPNOTSUPP;
    if (command === 1) return this.#version(message);
    if (!this.isNegotiated) return EINVAL;
    const word = (at: number) => view.getUint32(at, true);
    const size = message.length;
    const access = () => [Number(long(view, 16)), word(24), word(28)] as const;
    switch (command) {
      case 2:
        return size === 48 ? this.#map(view, files) : EINVAL;
      case 3:
        return size === 40 ? this.#unmap(view, message) : EINVAL;
      case 4:
        return size === 32 ? fields([16, 4], [3, 4], [9, 4], [5, 4]) : EINVAL;
      case 5: {
        if (size !== 48 || word(24) >= 9) return EINVAL;
        const length = this.#function.regionSize(word(24));
        return fields([32, 4], [length ? 3 : 0, 4], [word(24), 4], [0, 4], [length, 8], [0, 8]);
      }
      case 7: {
        if (size !== 32 || word(24) >= 5) return EINVAL;
        const flags = [7, 0, 9, 0, 0][word(24)]!;
        return fields([16, 4], [flags, 4], [word(24), 4], [IRQ_COUNTS[word(24)]!, 4]);
      }
      case 8:
        return size < 36 ? EINVAL : this.#setIrqs(view, files);
      case 9: {
        if (size !== 32) return EINVAL;
        const [offset, region, count] = access();
        const data = count > 2 ** 20 ? undefined : this.#function.read(region, offset, count);
        return data === undefined ? EINVAL : concat(fieldsOfAccess(offset, region, count), data);
      }
      case 10: {
        if (size < 32) return EINVAL;
        const [offset, region, count] = access();
        if (size !== 32 + count) return EINVAL;
        const isDone = this.#function.write(region, offset, message.subarray(32));
        return isDone ? fieldsOfAccess(offset, region, count) : EINVAL;
      }
      case 13:
        if (size !== HEADER) return EINVAL;
        this.#function.reset();
        return fields();
      default:
        return this.#writeMulti(view, message);
    }
  }

  #version(message: Uint8Array): number {
    if (this.isNegotiated || message.length < 20 || viewOf(message).getUint16(16, true) !== 0) {
      return EINVAL;
    }
    const text = new TextDecoder().decode(message.subarray(20)).split('\0')[0]!;
    const most = text === '' ? TRANSFER_MAX : transferOf(text);
    if (most === undefined) return EINVAL;
    this.transferMax = most;
    this.isNegotiated = true;
    return 0;
  }

  #map(view: DataView, files: readonly ModelFile[]): Uint8Array | number {
    const flags = view.getUint32(20, true);
    const [offset, address, size] = [24, 32, 40].map((at) => long(view, at));
    if (files.length > 1 || flags > 3 || size === 0n) return EINVAL;
    if (address! + size! > ADDRESS_MAX) return EINVAL;
    const [start, end] = [Number(address), Number(address! + size! - 1n)];
    if (this.windows.some((each) => each.start <= end && start <= each.end)) return EEXIST;
    const [file] = files;
    if (file !== undefined && BigInt(file.size) < offset! + size!) return EINVAL;
    if (file !== undefined && !file.isWritable && (flags & 2) !== 0) return EACCES;
    this.windows.push({ start, end, access: flags, file, offset: Number(offset) });
    return fields();
  }

  #unmap(view: DataView, message: Uint8Array): Uint8Array | number {
    const flags = view.getUint32(20, true);
    const [address, size] = [24, 32].map((at) => long(view, at));
    if (flags !== 0 && flags !== 2) return EINVAL;
    if (flags === 0) {
      const [start, end] = [Number(address), Number(address! + size! - 1n)];
      const hit = this.windows.filter((each) => each.start <= end && start <= each.end);
      if (size === 0n) return EINVAL;
      if (hit.length === 0) return ENOENT;
      if (hit.some((each) => each.start < start || each.end > end)) return EINVAL;
      this.windows = this.windows.filter((each) => !hit.includes(each));
    } else {
      this.windows = [];
    }
    return message.slice(HEADER, 40);
  }

  #setIrqs(view: DataView, files: readonly ModelFile[]): Uint8Array | number {
    const [flags, index, start, count] = [20, 24, 28, 32].map((at) => view.getUint32(at, true));
    const [data, action] = [flags! & 7, flags! & 0x38];
    const { interrupts } = this.#function;
    if (index! > 4 || flags! > 0x3f) return EINVAL;
    if (data === 1 && action === 0x20 && count === 0) {
      if (start !== 0) return EINVAL;
      for (let each = 0; each < IRQ_COUNTS[index!]!; each += 1) interrupts.set(index!, each);
      return fields();
    }
    if (start! + count! > IRQ_COUNTS[index!]!) return EINVAL;
    if (view.byteLength !== 36 + (data === 2 ? count! : 0)) return EINVAL;
    if (data === 4) {
      if (action !== 0x20 || (files.length > 0 && files.length !== count)) return EINVAL;
      if (files.some(({ kind }) => kind !== 'event')) return EINVAL;
      for (let each = 0; each < count!; each += 1) {
        interrupts.set(index!, start! + each, files[each]);
      }
      return fields();
    }
    if (data !== 1 && data !== 2) return EINVAL;
    for (let each = 0; each < count!; each += 1) {
      if (data === 2 && view.getUint8(36 + each) === 0) continue;
      if (!interrupts.act(index!, start! + each, action)) return EINVAL;
    }
    return fields();
  }

  #writeMulti(view: DataView, message: Uint8Array): Uint8Array | number {
    const count = message.length < 24 ? 0n : long(view, 16);
    if (count === 0n || count > 200n) return EINVAL;
    if (message.length !== 24 + 24 * Number(count)) return EINVAL;
    for (let at = 24; at < message.length; at += 24) {
      const [region, length] = [view.getUint32(at + 8, true), view.getUint32(at + 12, true)];
      const data = message.subarray(at + 16, at + 16 + length);
      if (length > 8 || !this.#function.write(region, Number(long(view, at)), data)) return EINVAL;
    }
    return fields([Number(count), 8]);
  }
}

/** Little-endian; what is beyond the largest exact number counts as that. */
function long(view: DataView, at: number): bigint {
  const value = view.getBigUint64(at, true);
  return value > ADDRESS_MAX ? ADDRESS_MAX : value;
}

/** @returns the most data in one message, as the client wants it; undefined when it does not say so in the form that there is */
function transferOf(text: string): number | undefined {
  const isObject = (value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  try {
    const data = JSON.parse(text);
    const capabilities = isObject(data) ? (data.capabilities ?? {}) : undefined;
    if (!isObject(capabilities) || data.capabilities === null) return undefined;
    const most = capabilities.max_data_xfer_size ?? TRANSFER_MAX;
    return Number.isSafeInteger(most) && most > 0 ? Math.min(most, TRANSFER_MAX) : undefined;
  } catch {
    return undefined;
  }
}

function fields(...values: [value: number, width: 4 | 8][]): Uint8Array {
  const bytes = new Uint8Array(values.reduce((sum, [, width]) => sum + width, 0));
  let at = 0;
  for (const [value, width] of values) {
    viewOf(bytes).setUint32(at, value % 2 ** 32, true);
    if (width === 8) viewOf(bytes).setUint32(at + 4, Math.floor(value / 2 ** 32), true);
    at += width;
  }
  return bytes;
}

function fieldsOfAccess(offset: number, region: number, count: number): Uint8Array {
  return fields([offset, 8], [region, 4], [count, 4]);
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
