/** What a virtio-net of a machine is connected to, as plain data, and how the command line says it. */
import { CommandError } from '../command-error.ts';

export interface NetDescription {
  /** The PCI address: bus << 8 | device << 3 | function. */
  readonly bdf: number;
  /** A UNIX stream socket on which passt or a QEMU listens, or a TAP interface. */
  readonly kind: 'stream' | 'tap';
  /** Path of the socket, or name of the interface. */
  readonly target: string;
  /** 6 bytes. */
  readonly mac: readonly number[];
  /** What the guest is told as the largest packet, if anything. */
  readonly mtu?: number;
}

const FORM = /^(stream|tap):(.+?)((?:,(?:mac|mtu)=[^,]*)*)$/;
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;
/** The standard's limits, which the device checks too. */
const SMALLEST_MTU = 68;
const LARGEST_MTU = 65535;

/** Parses what follows the address: `stream:PATH` or `tap:NAME`, then `,mac=52:54:00:12:34:56` and `,mtu=1500`. */
export function parseNet(option: string, bdf: number, text: string): NetDescription {
  const match = FORM.exec(text);
  if (match === null) {
    throw new CommandError(
      `${option}: '${text}' is neither stream:PATH, a socket that passt listens on, nor tap:NAME`,
    );
  }
  const [, kind, target = '', settings = ''] = match;
  // Locally administered, the same for the same place.
  let mac: readonly number[] = [0x52, 0x54, 0, 0, bdf >> 8, bdf & 0xff];
  let mtu: number | undefined;
  for (const setting of settings.split(',').slice(1)) {
    const value = setting.slice('mac='.length);
    if (setting.startsWith('mac=')) mac = parseMac(option, value);
    else mtu = parseMtu(option, value);
  }
  return {
    bdf,
    kind: kind as NetDescription['kind'],
    target,
    mac,
    ...(mtu === undefined ? {} : { mtu }),
  };
}

function parseMac(option: string, text: string): number[] {
  const bytes = text.split(':').map((byte) => Number.parseInt(byte, 16));
  if (MAC.test(text) && (bytes[0]! & 1) === 0) return bytes;
  throw new CommandError(
    `${option}: '${text}' is no MAC address of one device, such as 52:54:00:12:34:56`,
  );
}

function parseMtu(option: string, text: string): number {
  const mtu = Number(text);
  if (/^\d+$/.test(text) && mtu >= SMALLEST_MTU && mtu <= LARGEST_MTU) return mtu;
  throw new CommandError(
    `${option}: '${text}' is no MTU; choose ${SMALLEST_MTU} to ${LARGEST_MTU}`,
  );
}
