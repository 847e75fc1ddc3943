/** SocketScene: a real server with two functions: one for the clients of the inputs, and one whose client minds its own business. */
import { mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Arena, type Libc, requireLibc } from '@viommu/linux-io';
import { VfioUserServer } from '@viommu/vfio-user';
import { silentLogger } from '@viommu/virtqueue';
import { violated } from '../../engine/invariant.ts';
import { type ModelFile, ModelFunction } from '../../models/vfio-user-function.ts';
import { MessageWriter } from './message-writer.ts';
import { createEvent, createMemory, SocketPeer } from './peer.ts';
import { ServedFunction } from './served-function.ts';

/** A descriptor that a client can send, and what comes of it. */
export interface SentFile extends ModelFile {
  readonly fd: number;
  /** Of memory, its bytes. */
  readonly bytes: Uint8Array;
}

const MEMORY_LENGTHS = [0x2000, 0x1388];
const EVENTS = 3;
const OTHERS_MEMORY = 0x1000;
/** Milliseconds of the server's clock for one round: more than what is between two of its looks at sockets. */
const ROUND = 0.02;
/** Longer than the server waits after a change of the memory map. */
const PAUSE = 25;
/** Of real time at most, when a client owes an answer and gives none. */
const DMA_TIMEOUT = 1;
const NOTHING = new Uint8Array(0);

export class SocketScene {
  readonly function = new ServedFunction();
  readonly files: readonly SentFile[];
  /** Called when the server is about to wait, within the work of a function, too. */
  onWait: () => void = () => {};
  /** Why the last connection ended, as the server told its log. */
  lastEnd = '';
  readonly #libc: Libc = requireLibc();
  readonly #directory = mkdtempSync(join(tmpdir(), 'viommu-fuzz-'));
  readonly #server: VfioUserServer;
  readonly #other = new ServedFunction();
  readonly #othersMemory: { fd: number; bytes: Uint8Array };
  readonly #othersClient: OthersClient;
  readonly #counter: Arena;
  readonly #descriptors: number;
  /** What the server takes for the time, so that what it does depends on the input alone. */
  #now = 1000;

  constructor() {
    this.files = createFiles(this.#libc);
    const end = (text: string) => {
      this.lastEnd = text;
    };
    this.#server = new VfioUserServer({
      dmaTimeoutMilliseconds: DMA_TIMEOUT,
      logger: { ...silentLogger, error: end, info: end },
    });
    this.#server.watch({
      fd: -1,
      wantsRead: () => {
        this.onWait();
        return false;
      },
      wantsWrite: () => false,
      ready() {},
    });
    this.#server.listen(this.#path('a'), this.function);
    this.#server.listen(this.#path('b'), this.#other);
    this.#counter = Arena.take(this.#libc, 8);
    this.#othersMemory = createMemory(this.#libc, OTHERS_MEMORY);
    this.#othersMemory.bytes.fill(0xb7);
    const run = () => this.poll();
    this.#othersClient = this.withClock(() => new OthersClient(this.connectOther(), run));
    this.withClock(() => this.#othersClient.shareMemory(this.#othersMemory.fd));
    this.#descriptors = openDescriptors();
  }

  connect(): SocketPeer {
    return new SocketPeer(this.#libc, this.#path('a'));
  }

  connectOther(): SocketPeer {
    return new SocketPeer(this.#libc, this.#path('b'));
  }

  /** One round of the server's. */
  poll(): void {
    this.#now += ROUND;
    this.#server.poll(0);
  }

  /** The server sees time go by, while a function waits for an answer. */
  passTime(): void {
    this.#now += PAUSE;
  }

  /** What the server does in it depends on no real time. */
  withClock<Result>(action: () => Result): Result {
    const clock = performance as { now?: () => number };
    clock.now = () => this.#now;
    try {
      return action();
    } finally {
      delete clock.now;
    }
  }

  /** To be called without a client: all is as it was before the input, and the next client is served. */
  check(): void {
    const { host } = this.function;
    if (host !== undefined) violated('the function is plugged in, and there is no client');
    const open = openDescriptors();
    if (open !== this.#descriptors)
      violated(`${open} descriptors in place of ${this.#descriptors}`);
    this.#othersClient.check(this.#other);
    if (this.#othersMemory.bytes.some((byte) => byte !== 0xb7)) {
      violated("another client's memory was changed");
    }
    for (const [index, file] of this.files.entries()) this.#checkFile(file, index);
    this.#checkNextClient();
  }

  close(): void {
    this.#othersClient.close();
    this.#server.close();
    for (const { fd } of [...this.files, this.#othersMemory]) this.#libc.close(fd);
    this.#counter.giveBack();
    rmSync(this.#directory, { recursive: true });
  }

  #checkFile(file: SentFile, index: number): void {
    if (file.kind === 'memory' && Buffer.compare(file.bytes, file.expected) !== 0) {
      violated(`file ${index} has other bytes`);
    }
    if (file.kind !== 'event') return;
    const count = this.#libc.read(file.fd, this.#counter.address, 8);
    const signals = count === 8 ? this.#counter.view.getUint32(0, true) : 0;
    if (signals !== file.signals) violated(`eventfd ${index}: ${signals} for ${file.signals}`);
    file.signals = 0;
  }

  #checkNextClient(): void {
    const peer = this.connect();
    this.poll();
    peer.send(MessageWriter.version());
    this.poll();
    if (peer.receive().length <= 20) violated('the next client is not served');
    peer.close();
    this.poll();
    this.poll();
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}

/** Reads and writes its registers, shares its memory, and must never notice anything. */
class OthersClient {
  readonly #peer: SocketPeer;
  readonly #run: () => void;
  readonly #model = new ModelFunction();
  #turn = 0;

  constructor(peer: SocketPeer, run: () => void) {
    this.#peer = peer;
    this.#run = run;
    run();
    this.#ask(MessageWriter.version());
  }

  shareMemory(fd: number): void {
    const map = message(2, [32, 4], [3, 4], [0, 8], [0x1000, 8], [OTHERS_MEMORY, 8]);
    if (this.#ask(map, [fd]).length !== 16) violated('the other client cannot share its memory');
  }

  check({ accesses, host }: ServedFunction): void {
    this.#turn += 1;
    const value = this.#turn % 251;
    this.#model.write(0, 0x100, Uint8Array.of(value, 0, 0, 0));
    this.#ask(message(10, [0x100, 8], [0, 4], [4, 4], [value, 4]));
    const reply = this.#ask(message(9, [0, 8], [0, 4], [0x180, 4]));
    if (Buffer.compare(reply.subarray(32), this.#model.read(0, 0, 0x180)!) !== 0) {
      violated("another client's registers were changed");
    }
    if (accesses !== (this.#turn - 1) * 97) violated("another client's registers were accessed");
    if (host?.memory.read(0x1000, new Uint8Array(1), 0, 1) !== true) {
      violated("another client's memory is gone");
    }
  }

  close(): void {
    this.#peer.close();
  }

  #ask(bytes: Uint8Array, descriptors: readonly number[] = []): Uint8Array {
    this.#peer.send(bytes, descriptors);
    this.#run();
    const reply = this.#peer.receive();
    if (reply.length < 16 || (reply[8]! & 0x20) !== 0) violated('another client is not served');
    return reply;
  }
}

function message(command: number, ...values: [value: number, width: number][]): Uint8Array {
  const bytes = new Uint8Array(16 + values.reduce((sum, [, width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  view.setUint16(2, command, true);
  view.setUint32(4, bytes.length, true);
  let at = 16;
  for (const [value, width] of values) {
    view.setUint32(at, value, true);
    at += width;
  }
  return bytes;
}

function createFiles(libc: Libc): SentFile[] {
  const files: SentFile[] = [];
  for (const size of MEMORY_LENGTHS) {
    const { fd, bytes } = createMemory(libc, size);
    for (let at = 0; at < size; at += 1) bytes[at] = at * 7 + size;
    const shared = { kind: 'memory', size, bytes, expected: bytes.slice(), signals: 0 } as const;
    files.push({ ...shared, fd, isWritable: true });
    // The same file, for reading alone.
    files.push({ ...shared, fd: openSync(`/proc/self/fd/${fd}`, 'r'), isWritable: false });
  }
  const empty = { size: 0, isWritable: false, bytes: NOTHING, expected: NOTHING };
  for (let event = 0; event < EVENTS; event += 1) {
    files.push({ ...empty, kind: 'event', fd: createEvent(libc), signals: 0 });
  }
  files.push({ ...empty, kind: 'other', fd: openSync('/dev/null', 'r+'), signals: 0 });
  return files;
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
