/** Reads the network that an option names, such as `00:06.0=stream:/run/passt.sock,mtu=9000`. */

import type { NetDescription } from '@viommu/machine';
import { macOf, pciEndpoint } from '@viommu/machine';
import { CommandError } from '../command-error.ts';
import { parseAddress, parseIommu, splitAddress, splitSettings } from './parse-device.ts';

/** A comma in a name of an interface is a setting with a mistake in it. */
const FORM = /^(?:stream:(?<path>.+)|tap:(?<name>[^,]+))$/s;
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;
/** The standard's limits, which the device checks too. */
const SMALLEST_MTU = 68;
const LARGEST_MTU = 65535;

/** Parses `00:06.0=stream:PATH` or `00:06.0=tap:NAME`, then `,mac=52:54:00:12:34:56`, `,mtu=1500` and `,iommu=1` as wanted. */
export function parseNetwork(option: string, text: string): NetDescription {
  const { address, rest } = splitAddress(
    option,
    text,
    'stream:PATH or ADDRESS=tap:NAME',
    '00:06.0=tap:tap0',
  );
  const { rest: link, settings } = splitSettings(option, rest, ['mac=', 'mtu=', 'iommu=']);
  const { path, name } = FORM.exec(link)?.groups ?? {};
  const target = path ?? name;
  if (target === undefined) {
    throw new CommandError(
      `${option}: '${link}' is neither stream:PATH, a socket that passt listens on, nor tap:NAME`,
    );
  }
  const bdf = parseAddress(option, address);
  const [mac, mtu] = [settings.get('mac'), settings.get('mtu')];
  return {
    kind: 'net',
    ...pciEndpoint(bdf, parseIommu(option, settings)),
    network: path === undefined ? 'tap' : 'stream',
    target,
    mac: mac === undefined ? macOf(bdf) : parseMac(option, mac),
    ...(mtu === undefined ? {} : { mtu: parseMtu(option, mtu) }),
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
