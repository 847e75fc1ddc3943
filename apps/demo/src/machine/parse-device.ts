/** Reads the devices that options name, such as `00:05.0=disk.img,ro,iommu=1`. */

import type { Bdf, DiskDescription } from '@viommu/machine';
import { pciDisk, pciEndpoint } from '@viommu/machine';
import { parsePciAddress } from '@viommu/viot';
import { CommandError, messageOf } from '../command-error.ts';

/** Parses `00:05.0`, naming the option in the error. */
export function parseAddress(option: string, text: string): Bdf {
  try {
    const { segment, bdf } = parsePciAddress(text);
    if (segment === 0) return bdf;
  } catch (error) {
    throw new CommandError(`${option}: ${messageOf(error)}`);
  }
  throw new CommandError(
    `${option}: '${text}' is in another segment; this machine has segment 0 only`,
  );
}

/** Parses `00:06.0` or `00:06.0,iommu=1`. */
export function parseEndpoint(option: string, text: string): ReturnType<typeof pciEndpoint> {
  const { rest, settings } = splitSettings(option, text, ['iommu=']);
  return pciEndpoint(parseAddress(option, rest), parseIommu(option, settings));
}

/** Parses `00:05.0=disk.img`, with `,ro` and `,iommu=1` after it as wanted. */
export function parseDisk(option: string, text: string): DiskDescription {
  const { address, rest } = splitAddress(option, text, 'FILE', '00:05.0=disk.img');
  const { rest: file, settings } = splitSettings(option, rest, ['ro', 'iommu=']);
  if (file === '') throw new CommandError(`${option}: '${text}' names no file`);
  return pciDisk(
    parseAddress(option, address),
    file,
    settings.has('ro'),
    parseIommu(option, settings),
  );
}

/** Takes the address and the equals sign off the start. */
export function splitAddress(option: string, text: string, what: string, example: string) {
  const separator = text.indexOf('=');
  if (separator < 0) {
    throw new CommandError(
      `${option}: '${text}' is not of the form ADDRESS=${what}, such as ${example}`,
    );
  }
  return { address: text.slice(0, separator), rest: text.slice(separator + 1) };
}

/**
 * Takes settings off the end, such as `,ro` and `,iommu=1`, in any order.
 *
 * @param names those with a value end in an equals sign; what has another name is part of the rest
 */
export function splitSettings(option: string, text: string, names: readonly string[]) {
  const known = names.map((name) => (name.endsWith('=') ? `${name}[^,=]*` : name)).join('|');
  const form = new RegExp(`^(.*),(${known})$`, 's');
  const settings = new Map<string, string>();
  let rest = text;
  for (let match = form.exec(rest); match !== null; match = form.exec(rest)) {
    const [name = '', value = ''] = match[2]!.split('=');
    if (settings.has(name)) throw new CommandError(`${option}: '${name}' is given twice`);
    settings.set(name, value);
    rest = match[1]!;
  }
  return { rest, settings };
}

/** The index that is given to `iommu=`; 0 when none is. */
export function parseIommu(option: string, settings: ReadonlyMap<string, string>): number {
  const text = settings.get('iommu') ?? '0';
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new CommandError(`${option}: '${text}' is no number of an IOMMU; the first --iommu is 0`);
}
