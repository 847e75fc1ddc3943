/** ControlClient: one place for a client of the control socket: its bytes in, its lines one by one, its answers out. */
import { type Arena, EAGAIN, EINTR, type Libc, MSG_DONTWAIT, MSG_NOSIGNAL } from '@viommu/linux-io';
import type { PollSource } from '@viommu/vfio-user';
import { messageOf } from '../command-error.ts';
import {
  CONTROL_VERSION,
  type ControlAnswer,
  type ControlEvent,
  type ControlGreeting,
  MAX_BACKLOG,
  MAX_LINE,
} from './control-protocol.ts';
import type { JsonObject } from './json-reader.ts';
import { LineBuffer } from './line-buffer.ts';

/** Lines that are carried out before the devices have their turn. */
const LINES_PER_TURN = 4;
const NONE = -1;

/** What all clients share. */
export interface ControlHost {
  readonly libc: Libc;
  /** Where bytes pass between the kernel and us. */
  readonly arena: Arena;
  /** @throws what the client is told as an error */
  carryOut(request: JsonObject, client: ControlClient): unknown;
  /** A client is disconnected that would have stayed. */
  dropped(reason: string): void;
}

export class ControlClient implements PollSource {
  fd = NONE;
  /** It wants to be told what happens. */
  watches = false;
  readonly #host: ControlHost;
  #lines = new LineBuffer(MAX_LINE);
  #output: Buffer[] = [];
  #outputLength = 0;
  /** Grows with each client that has this place. */
  #session = 0;
  /** It sends nothing more. */
  #ended = false;

  constructor(host: ControlHost) {
    this.#host = host;
  }

  get isFree(): boolean {
    return this.fd === NONE;
  }

  /** @param fd does not block; it is closed when the client is gone */
  open(fd: number): void {
    this.fd = fd;
    this.#session += 1;
    this.watches = false;
    this.#ended = false;
    this.#lines = new LineBuffer(MAX_LINE);
    const greeting: ControlGreeting = { viommu: 'control', version: CONTROL_VERSION };
    this.#send(greeting);
  }

  /** A client that does not read its answers is not listened to. */
  wantsRead(): boolean {
    return !this.#ended && this.#lines.count === 0 && this.#outputLength < MAX_LINE;
  }

  wantsWrite(): boolean {
    return this.#outputLength > 0;
  }

  ready(readable: boolean, writable: boolean): void {
    if (writable) this.#flush();
    if (readable && this.wantsRead()) this.#receive();
  }

  /** Carries out what was asked. @returns 0 when more is left, as `PollSource.work` */
  work(): number {
    if (this.isFree) return NONE;
    for (let turn = 0; turn < LINES_PER_TURN && this.#outputLength < MAX_LINE; turn += 1) {
      const line = this.#lines.take();
      if (line === undefined) break;
      this.#answer(line);
      if (this.isFree) return NONE;
    }
    if (this.#lines.count > 0) return this.#outputLength < MAX_LINE ? 0 : NONE;
    if (this.#lines.tooLong && !this.#ended) {
      this.#ended = true;
      this.#send({ id: null, error: `a line has at most ${MAX_LINE} bytes` });
    }
    if (this.#ended && !this.wantsWrite()) this.close();
    return NONE;
  }

  tell(event: ControlEvent): void {
    this.#send(event);
  }

  /** Safe to call more than once. */
  close(): void {
    if (this.isFree) return;
    this.#host.libc.close(this.fd);
    this.fd = NONE;
    this.watches = false;
    this.#output = [];
    this.#outputLength = 0;
  }

  #answer(line: string): void {
    const session = this.#session;
    let id: unknown = null;
    let answer: ControlAnswer;
    try {
      const request = parseObject(line);
      id = request.id ?? null;
      answer = { id, result: this.#host.carryOut(request, this) };
    } catch (error) {
      answer = { id, error: messageOf(error) };
    }
    // A provoked fault can have waited for the guest's memory meanwhile, and the client can have left its place to another.
    if (session === this.#session) this.#send(answer);
  }

  #receive(): void {
    const { libc, arena } = this.#host;
    const count = libc.recv(this.fd, arena.address, arena.buffer.byteLength, MSG_DONTWAIT);
    if (count > 0) this.#lines.add(new Uint8Array(arena.buffer, 0, count));
    else if (count === 0) this.#ended = true;
    else this.#failed();
  }

  #send(line: object): void {
    if (this.isFree) return;
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    this.#output.push(bytes);
    this.#outputLength += bytes.length;
    // While there are others before it, the thread is woken when there is room for them.
    if (this.#output.length === 1) this.#flush();
    if (this.#outputLength <= MAX_BACKLOG) return;
    this.close();
    this.#host.dropped(
      `a client was dropped that does not read the ${MAX_BACKLOG} bytes it was told last`,
    );
  }

  #flush(): void {
    const { libc, arena } = this.#host;
    const target = new Uint8Array(arena.buffer);
    while (this.#output.length > 0) {
      const first = this.#output[0]!;
      const part = first.subarray(0, target.length);
      target.set(part);
      const count = libc.send(this.fd, arena.address, part.length, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count < 0) {
        this.#failed();
        return;
      }
      this.#outputLength -= count;
      if (count < first.length) this.#output[0] = first.subarray(count);
      else this.#output.shift();
    }
  }

  #failed(): void {
    const errno = this.#host.libc.errno();
    if (errno !== EAGAIN && errno !== EINTR) this.close();
  }
}

function parseObject(line: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error('a line has to be one JSON object');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw new Error('a line has to be one JSON object');
}
