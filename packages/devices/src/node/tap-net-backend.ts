/** TapNetBackend: frames to and from a TAP interface of this system. */
import { closeSync, constants, openSync } from 'node:fs';
import {
  Arena,
  describeErrno,
  EBUSY,
  EINVAL,
  EIO,
  EPERM,
  type Libc,
  requireLibc,
} from '@viommu/linux-io';
import { type Logger, silentLogger, VirtioError } from '@viommu/virtqueue';
import type { NetFrame } from '../net/net-backend.ts';
import { ETHERNET_HEADER_SIZE, NET_HDR_SIZE } from '../net/net-constants.ts';
import { DescriptorNetBackend, type SystemNetBackend } from './descriptor-net-backend.ts';

const LARGEST_FRAME = 65535 + ETHERNET_HEADER_SIZE;

// linux/if_tun.h and linux/if.h.
const TUNSETIFF = 0x400454ca;
const IFF_TAP = 0x2;
/** Frames come without `struct tun_pi` in front. */
const IFF_NO_PI = 0x1000;
/** Of a name, with the zero at its end. */
const IFNAMSIZ = 16;
const IFREQ_FLAGS = IFNAMSIZ;

const RECEIVE_FRAME = NET_HDR_SIZE;
const SEND_FRAME = 1 << 17;
const ARENA_SIZE = 1 << 18;

export interface TapNetBackendOptions {
  /** Of the interface; one that is not there is made, and gone when it is closed. At most 15 bytes. */
  readonly name: string;
  readonly logger?: Logger;
}

/**
 * Opens a TAP interface. Its host side, addresses and bridges, is for the system's own tools. Frames carry no header of the
 * kernel's, so the kernel hands out frames with their checksums complete.
 *
 * @throws VirtioError `NET_TAP` when there is no such device, or it is not for this user
 * @throws LinuxIoError `UNSUPPORTED`
 */
export function openTapBackend(options: TapNetBackendOptions): SystemNetBackend {
  const { name, logger = silentLogger } = options;
  const libc = requireLibc();
  const bytes = new TextEncoder().encode(name);
  if (bytes.length === 0 || bytes.length >= IFNAMSIZ) {
    throw new VirtioError('NET_TAP', `TAP ${name}: a name has 1 to ${IFNAMSIZ - 1} bytes`);
  }
  let fd: number;
  try {
    fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new VirtioError('NET_TAP', `TAP ${name}: this system gives out none: ${message}`, {
      cause: error,
    });
  }
  const arena = Arena.take(libc, ARENA_SIZE);
  const request = new Uint8Array(arena.buffer);
  request.fill(0, 0, 64);
  request.set(bytes);
  arena.view.setUint16(IFREQ_FLAGS, IFF_TAP | IFF_NO_PI, true);
  if (libc.ioctl(fd, TUNSETIFF, arena.address) < 0) {
    const errno = libc.errno();
    closeSync(fd);
    arena.giveBack();
    throw new VirtioError('NET_TAP', `TAP ${name} cannot be opened: ${reasonOf(name, errno)}`);
  }
  return new TapNetBackend(libc, fd, arena, name, logger);
}

function reasonOf(name: string, errno: number): string {
  const reason = describeErrno(errno);
  if (errno === EPERM) {
    return `${reason}; have root make it for you: ip tuntap add ${name} mode tap user NAME`;
  }
  if (errno === EBUSY) return `${reason}; another program has it`;
  return errno === EINVAL ? `${reason}; there is an interface of that name that is no TAP` : reason;
}

class TapNetBackend extends DescriptorNetBackend {
  readonly largestFrame = LARGEST_FRAME;
  readonly #receiveAddress: bigint;
  readonly #sendAddress: bigint;
  #reserved = 0;
  /** Whether the frame that was committed last waits for room. */
  #unsent = false;

  constructor(libc: Libc, fd: number, arena: Arena, name: string, logger: Logger) {
    super(libc, fd, arena, name, logger);
    this.#receiveAddress = arena.addressOf(RECEIVE_FRAME);
    this.#sendAddress = arena.addressOf(SEND_FRAME);
  }

  get canSend(): boolean {
    return !this.#unsent;
  }

  receive(frame: NetFrame): boolean {
    while (this.readable && this.linkUp) {
      const count = this.libc.read(this.fd, this.#receiveAddress, LARGEST_FRAME);
      if (count >= ETHERNET_HEADER_SIZE) {
        frame.bytes = this.bytes;
        frame.offset = RECEIVE_FRAME;
        frame.length = count;
        return true;
      }
      if (count < 0 && !this.triesAgain('read()', () => this.drained())) return false;
    }
    return false;
  }

  reserve(length: number, frame: NetFrame): void {
    frame.bytes = this.bytes;
    frame.offset = SEND_FRAME;
    frame.length = length;
    this.#reserved = length;
  }

  commit(): void {
    this.#unsent = true;
    this.flush();
  }

  flush(): void {
    while (this.#unsent && this.linkUp && !this.blocked) {
      const count = this.libc.write(this.fd, this.#sendAddress, this.#reserved);
      // An interface that is down, or short of memory, loses frames as any cable does.
      if (count >= 0 || this.libc.errno() === EIO) this.#unsent = false;
      else if (!this.triesAgain('write()', () => this.block())) return;
    }
  }

  protected forget(): void {
    this.#unsent = false;
  }
}
