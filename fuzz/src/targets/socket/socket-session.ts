/** SocketSession: one client of the function, beside the model of what it is owed. */
import { violated } from '../../engine/invariant.ts';
import { ModelFunction } from '../../models/vfio-user-function.ts';
import { VfioUserModel } from '../../models/vfio-user-model.ts';
import type { SocketPeer } from './peer.ts';
import type { SentFile, SocketScene } from './socket-scene.ts';

const HEADER = 16;
/** By errno: success, EINVAL, EEXIST, ENOENT. */
const ANSWERS = new Map([
  [0, 1],
  [22, 2],
  [17, 4],
  [2, 8],
]);
/** Of the server's, after which all that has come must be answered: a message takes one, and so does what is left to send. */
const ROUNDS_MAX = 400;

export class SocketSession {
  readonly pciFunction = new ModelFunction();
  readonly model = new VfioUserModel(this.pciFunction);
  /** Takes commands of the server; without it there must be none. */
  onCommand: ((view: DataView, message: Uint8Array) => void) | undefined;
  /** Replies by what they said, in bits: success, EINVAL, EEXIST, ENOENT, other errors. */
  answers = 0;
  /** The client does not read: what is owed stays in the socket, until that is full. */
  isReading = true;
  /** The end of the connection is what the client brought about by other means than messages. */
  mayEnd = false;
  readonly #scene: SocketScene;
  readonly #peer: SocketPeer;
  #received: Uint8Array = new Uint8Array(0);

  constructor(scene: SocketScene) {
    this.#scene = scene;
    this.#peer = scene.connect();
    this.#peer.receive();
    scene.poll();
  }

  get isGone(): boolean {
    return this.#peer.isGone;
  }

  /** Sends at once, and has the server do what it can. */
  deliver(bytes: Uint8Array, files: readonly SentFile[] = []): void {
    if (this.isGone || bytes.length === 0) return;
    const count = this.#peer.send(
      bytes,
      files.map(({ fd }) => fd),
    );
    this.model.sent(bytes.subarray(0, count), count === 0 ? [] : files);
    this.pump();
  }

  /** Sends, and leaves it to others to have the server do anything. */
  post(bytes: Uint8Array): void {
    const count = this.#peer.send(bytes);
    this.model.sent(bytes.subarray(0, count), []);
  }

  /** A reply that the server waits for. */
  postReply(bytes: Uint8Array): void {
    this.#peer.send(bytes);
  }

  /** Has the server work until nothing more comes of it. */
  pump(): void {
    for (let round = 0, quiet = 0; quiet < 2; round += 1) {
      if (round > ROUNDS_MAX) violated('the server is never done');
      this.#scene.poll();
      quiet = this.isReading && this.drain() ? 0 : quiet + 1;
    }
    if (this.isReading) this.#checkSettled();
  }

  /** Takes what has come. @returns whether there was anything */
  drain(): boolean {
    const bytes = this.#peer.receive();
    if (bytes.length === 0) return false;
    this.#received = new Uint8Array(Buffer.concat([this.#received, bytes]));
    while (this.#received.length >= HEADER) {
      const size = viewOf(this.#received).getUint32(4, true);
      if (size < HEADER || size > HEADER + 16 + 2 ** 20) violated(`the server sends ${size} bytes`);
      if (size > this.#received.length) break;
      const message = this.#received.slice(0, size);
      this.#received = this.#received.slice(size);
      this.#take(message);
    }
    return true;
  }

  /** The client hangs up, and the server notices. */
  close(): void {
    this.#peer.close();
    this.#scene.poll();
    this.#scene.poll();
  }

  #take(message: Uint8Array): void {
    const view = viewOf(message);
    const flags = view.getUint32(8, true);
    if ((flags & 0xf) === 0) {
      if (this.onCommand === undefined) violated('the server asks for memory, and no work is done');
      this.onCommand(view, message);
      return;
    }
    const owed = this.model.owed.shift();
    if (owed === undefined) violated('a reply to nothing');
    const { id, command, errno, body } = owed;
    if (view.getUint16(0, true) !== id || view.getUint16(2, true) !== command) {
      violated(`a reply to another message than ${id}, command ${command}`);
    }
    const said = (flags & 0x20) === 0 ? 0 : view.getUint32(12, true);
    if (said !== errno || (flags & ~0x20) !== 1) {
      violated(`command ${command}: errno ${said} in place of ${errno}, flags ${flags}`);
    }
    if (errno !== 0 && message.length !== HEADER) violated(`an error of ${message.length} bytes`);
    if (body !== undefined && Buffer.compare(message.subarray(HEADER), body) !== 0) {
      violated(`command ${command}: another reply`);
    }
    this.answers |= ANSWERS.get(errno) ?? 16;
  }

  #checkSettled(): void {
    const { model } = this;
    const mayEnd = model.isOver || model.mayBeOver || this.mayEnd;
    if (this.isGone && !mayEnd) violated(`the connection ended: ${this.#scene.lastEnd}`);
    if (!this.isGone && model.isOver) violated('the connection goes on');
    if (model.owed.length > 0 && !(this.isGone && (model.mayBeOver || this.mayEnd))) {
      violated(`${model.owed.length} commands have no reply`);
    }
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
