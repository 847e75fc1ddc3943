/** StreamNetBackend: frames over a UNIX stream socket, each after its length, as QEMU's `-netdev stream` and passt speak. */
import {
  AF_UNIX,
  Arena,
  describeErrno,
  type Libc,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  requireLibc,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  unixSocketAddress,
} from '@viommu/linux-io';
import { type Logger, silentLogger, VirtioError } from '@viommu/virtqueue';
import type { NetFrame } from '../net/net-backend.ts';
import { ETHERNET_HEADER_SIZE, NET_HDR_SIZE } from '../net/net-constants.ts';
import { DescriptorNetBackend, type SystemNetBackend } from './descriptor-net-backend.ts';

/** Each frame comes after its length, 32 bits in network order. */
const PREFIX_SIZE = 4;
/** More than any IP packet needs; QEMU has a little more room, and no peer uses it. */
const LARGEST_FRAME = 65536 + ETHERNET_HEADER_SIZE;
const FRAME_ROOM = PREFIX_SIZE + LARGEST_FRAME;

/** As much as a socket holds at once, with some to spare: one call fetches many frames. */
const RECEIVE_END = 1 << 19;
/** Where the first prefix is put, so that there is room for a `struct virtio_net_hdr` before each frame. */
const RECEIVE_START = NET_HDR_SIZE;
const SEND_START = RECEIVE_END;
const SEND_END = SEND_START + (1 << 18);

export interface StreamNetBackendOptions {
  /** Of a UNIX socket on which a peer listens. */
  readonly path: string;
  readonly logger?: Logger;
}

/**
 * Connects to a network, such as `passt --socket PATH`. When the peer goes, the link is down for good.
 *
 * @throws VirtioError `NET_SOCKET` when nobody listens there
 * @throws LinuxIoError `UNSUPPORTED`
 */
export function openStreamNetBackend(options: StreamNetBackendOptions): SystemNetBackend {
  const { path, logger = silentLogger } = options;
  const libc = requireLibc();
  const address = unixSocketAddress(path);
  if (address === undefined) {
    throw new VirtioError('NET_SOCKET', `the socket path ${path} is empty or too long`);
  }
  const fd = libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || libc.connect(fd, address, address.length) < 0) {
    const reason = describeErrno(libc.errno());
    if (fd >= 0) libc.close(fd);
    throw new VirtioError(
      'NET_SOCKET',
      `network socket ${path} cannot be connected to: ${reason}; start what listens there first, such as passt`,
    );
  }
  return new StreamNetBackend(libc, fd, path, logger);
}

class StreamNetBackend extends DescriptorNetBackend {
  readonly largestFrame = LARGEST_FRAME;
  /** What was received and not taken yet. */
  #from = RECEIVE_START;
  #to = RECEIVE_START;
  /** What was committed and not sent yet. */
  #sendFrom = SEND_START;
  #sendTo = SEND_START;
  #reserved = 0;

  constructor(libc: Libc, fd: number, path: string, logger: Logger) {
    super(libc, fd, Arena.take(libc, SEND_END), path, logger);
  }

  get canSend(): boolean {
    return SEND_END - this.#sendTo >= FRAME_ROOM;
  }

  receive(frame: NetFrame): boolean {
    do {
      const available = this.#to - this.#from;
      if (available < PREFIX_SIZE) continue;
      const length = this.arena.view.getUint32(this.#from);
      if (length < ETHERNET_HEADER_SIZE || length > LARGEST_FRAME) {
        this.fail(`the peer announced a frame of ${length} bytes`);
        return false;
      }
      if (available < PREFIX_SIZE + length) continue;
      frame.bytes = this.bytes;
      frame.offset = this.#from + PREFIX_SIZE;
      frame.length = length;
      this.#from += PREFIX_SIZE + length;
      return true;
    } while (this.#fill());
    return false;
  }

  reserve(length: number, frame: NetFrame): void {
    frame.bytes = this.bytes;
    frame.offset = this.#sendTo + PREFIX_SIZE;
    frame.length = length;
    this.#reserved = length;
  }

  commit(): void {
    this.arena.view.setUint32(this.#sendTo, this.#reserved);
    this.#sendTo += PREFIX_SIZE + this.#reserved;
    if (!this.canSend) this.flush();
  }

  flush(): void {
    if (!this.linkUp) this.forget();
    while (this.#sendTo > this.#sendFrom && !this.blocked) {
      const source = this.arena.addressOf(this.#sendFrom);
      const length = this.#sendTo - this.#sendFrom;
      const count = this.libc.send(this.fd, source, length, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count >= 0) this.#sendFrom += count;
      else if (!this.triesAgain('send()', () => this.block())) break;
    }
    this.#moveUnsent();
  }

  protected forget(): void {
    this.#from = RECEIVE_START;
    this.#to = RECEIVE_START;
    this.#sendFrom = SEND_START;
    this.#sendTo = SEND_START;
  }

  /** Receives as much as there is. @returns false when there is nothing */
  #fill(): boolean {
    if (!this.readable || !this.linkUp) return false;
    this.#moveUntaken();
    const room = RECEIVE_END - this.#to;
    let count: number;
    do {
      count = this.libc.recv(this.fd, this.arena.addressOf(this.#to), room, MSG_DONTWAIT);
    } while (count < 0 && this.triesAgain('recv()', () => this.drained()));
    if (count === 0) this.fail('the peer has closed the connection');
    if (count <= 0) return false;
    this.#to += count;
    // A stream gives all that it has, as far as there is room.
    if (count < room) this.drained();
    return true;
  }

  /** Makes room for a whole frame. */
  #moveUntaken(): void {
    if (this.#from !== this.#to && RECEIVE_END - this.#from >= FRAME_ROOM) return;
    this.bytes.copyWithin(RECEIVE_START, this.#from, this.#to);
    this.#to -= this.#from - RECEIVE_START;
    this.#from = RECEIVE_START;
  }

  #moveUnsent(): void {
    if (this.#sendFrom === SEND_START) return;
    if (this.#sendFrom !== this.#sendTo && this.canSend) return;
    this.bytes.copyWithin(SEND_START, this.#sendFrom, this.#sendTo);
    this.#sendTo -= this.#sendFrom - SEND_START;
    this.#sendFrom = SEND_START;
  }
}
