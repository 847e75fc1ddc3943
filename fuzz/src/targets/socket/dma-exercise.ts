/** DmaExercise: the function reaches for its client's memory, by windows in place or by messages that the client answers anyhow. */
import type { InputReader } from '../../engine/input-reader.ts';
import { violated } from '../../engine/invariant.ts';
import { MessageWriter } from './message-writer.ts';
import type { DmaOrder } from './served-function.ts';
import type { SocketScene } from './socket-scene.ts';
import type { SocketSession } from './socket-session.ts';

const [DMA_READ, DMA_WRITE] = [11, 12];
const [REPLY, ERROR] = [1, 0x20];
const FILL = 0x5a;
const LENGTH_MAX = 512;
const ADDRESSES = [0, 0x1000, 0x2000, 0x3000, 0x1388, 0x800, 2 ** 53 - 0x2000];
const KINDS = ['read', 'write', 'window'] as const;

/** How the client answers: as it should, or else. */
const ANSWERS = [
  'right',
  'right',
  'right',
  'error',
  'short',
  'other id',
  'nothing',
  'command first',
  'bytes',
] as const;

/** Of these nothing can come but that the access is denied. */
const REFUSED: readonly string[] = ['error', 'short', 'other id', 'nothing'];

export class DmaExercise {
  readonly #input: InputReader;
  readonly #scene: SocketScene;
  readonly #session: SocketSession;
  readonly #writer: MessageWriter;
  #answer: (typeof ANSWERS)[number] = 'right';
  #asked = 0;

  constructor(input: InputReader, scene: SocketScene, session: SocketSession) {
    this.#input = input;
    this.#scene = scene;
    this.#session = session;
    this.#writer = new MessageWriter(input);
  }

  /** @returns what came of it, in two bits: nothing, denied, done */
  run(): number {
    const { model, isGone } = this.#session;
    if (isGone || !model.isNegotiated || model.isWithinMessage || model.mayBeOver) return 0;
    const input = this.#input;
    const code = input.byte();
    const address = input.pick(ADDRESSES) + (code >= 0x80 ? input.byte() : 0);
    const length = 1 + (input.word16() % LENGTH_MAX);
    this.#answer = input.pick(ANSWERS);
    this.#asked = 0;
    const order: DmaOrder = {
      bytes: new Uint8Array(length).fill(FILL),
      address,
      kind: KINDS[code % KINDS.length]!,
    };
    const { function: served } = this.#scene;
    this.#scene.passTime();
    served.order = order;
    served.done = 0;
    this.#session.onCommand = (view, message) => this.#command(view, message, order);
    this.#scene.onWait = () => this.#session.drain();
    this.#scene.poll();
    this.#scene.onWait = () => {};
    this.#session.onCommand = undefined;
    if (served.order !== undefined) violated('the function has no turn');
    const { done } = served;
    const isRight = this.#asked === 0 || this.#answer === 'right';
    if (isRight) this.#compare(order, done);
    else this.#admit();
    // Of a reply to DMA_WRITE nothing is read.
    const isRead = order.kind === 'read' || this.#answer !== 'short';
    if (!isRight && isRead && REFUSED.includes(this.#answer) && done !== -1) {
      violated(`what the client answers with ${this.#answer} counts`);
    }
    this.#session.pump();
    return done > 0 ? 2 : 1;
  }

  /** What the windows say, piece by piece. */
  #compare({ address, bytes, kind }: DmaOrder, done: number): void {
    const { model } = this.#session;
    const access = kind === 'write' ? 2 : 1;
    let at = 0;
    while (at < bytes.length) {
      const window = model.windowAt(address + at);
      if (window === undefined || (window.access & access) === 0) break;
      if (kind === 'window' && window.file === undefined) break;
      const run = Math.min(bytes.length - at, window.end - (address + at) + 1);
      for (let byte = at; byte < at + run; byte += 1) {
        const place = window.offset + (address + byte - window.start);
        if (window.file === undefined) {
          if (access === 1 && bytes[byte] !== ((address + byte) & 0xff))
            violated('other bytes came');
        } else if (access === 2) window.file.expected[place] = FILL;
        else if (window.file.expected[place] !== bytes[byte]) violated('other bytes are there');
      }
      at += run;
      if (kind === 'window') break;
    }
    const first = model.windowAt(address);
    const isUnseen = first !== undefined && (first.access & 1) !== 0 && first.file === undefined;
    const expected =
      kind === 'window' ? (at > 0 ? at : isUnseen ? 0 : -1) : at < bytes.length ? -1 : at;
    if (done !== expected) violated(`a ${kind} at ${address}: ${done} in place of ${expected}`);
  }

  /** How much of it was done is not known: what can be reached may have been written. */
  #admit(): void {
    for (const { kind, bytes, expected } of this.#scene.files) {
      if (kind === 'memory') expected.set(bytes);
    }
  }

  #command(view: DataView, message: Uint8Array, { kind }: DmaOrder): void {
    const session = this.#session;
    this.#asked += 1;
    const command = view.getUint16(2, true);
    const address = Number(view.getBigUint64(16, true));
    const count = view.getUint32(24, true);
    const window = session.model.windowAt(address);
    const access = command === DMA_READ ? 1 : 2;
    const isWanted =
      command === (kind === 'write' ? DMA_WRITE : DMA_READ) &&
      message.length === 32 + (command === DMA_WRITE ? count : 0) &&
      count <= session.model.transferMax;
    if (!isWanted) violated(`the server asks for ${count} bytes by command ${command}`);
    const isThere =
      window !== undefined &&
      window.file === undefined &&
      (window.access & access) !== 0 &&
      address + count - 1 <= window.end;
    if (!isThere) violated(`the server asks for what is not there, at ${address}`);
    if (command === DMA_WRITE && message.subarray(32).some((byte) => byte !== FILL)) {
      violated('other bytes are written');
    }
    this.#reply(view.getUint16(0, true), command, message.slice(16, 32), address, count);
  }

  #reply(id: number, command: number, fields: Uint8Array, address: number, count: number): void {
    const session = this.#session;
    const data = new Uint8Array(16 + (command === DMA_READ ? count : 0));
    data.set(fields);
    for (let byte = 16; byte < data.length; byte += 1) data[byte] = address + byte - 16;
    const right = this.#writer.reply(id, command, REPLY, data);
    if (this.#answer !== 'right') session.mayEnd = true;
    switch (this.#answer) {
      case 'error':
        session.postReply(this.#writer.reply(id, command, REPLY | ERROR, new Uint8Array(0)));
        break;
      case 'short':
        session.postReply(
          this.#writer.reply(id, command, REPLY, data.subarray(0, data.length - 1)),
        );
        break;
      case 'other id':
        session.postReply(this.#writer.reply(id ^ 1, command, REPLY, data));
        this.#scene.passTime();
        break;
      case 'nothing':
        this.#scene.passTime();
        break;
      case 'command first':
        session.post(this.#writer.message(this.#input.pick([13, 3, 9, 2, 10])));
        if (!session.model.isWithinMessage) session.postReply(right);
        else {
          // The command says that it is longer than it is, and so the reply begins as its end.
          session.post(right);
          this.#scene.passTime();
        }
        break;
      case 'bytes':
        session.post(Uint8Array.from({ length: 16 }, () => this.#input.byte()));
        this.#scene.passTime();
        break;
      default:
        session.postReply(right);
    }
  }
}
