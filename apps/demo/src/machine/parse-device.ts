/** Reads the devices that options name, such as `00:05.0=disk.img,ro,iommu=1`. */
import { parsePciAddress } from '@viommu/viot';
import { CommandError, messageOf } from '../command-error.ts';
import type { Bdf, DiskDescription } from './machine-description.ts';
import { pciDisk, pciEndpoint } from './pci-endpoint.ts';

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
  const { rest, iommu } = splitIommu(option, text);
  return pciEndpoint(parseAddress(option, rest), iommu);
}

/** Parses `00:05.0=disk.img`, with `,ro` and `,iommu=1` after it as wanted. */
export function parseDisk(option: string, text: string): DiskDescription {
  const { address, rest } = splitAddress(option, text, 'FILE', '00:05.0=disk.img');
  const { rest: file, iommu } = splitIommu(option, rest);
  const readOnly = file.endsWith(',ro');
  return pciDisk(
    parseAddress(option, address),
    readOnly ? file.slice(0, -',ro'.length) : file,
    readOnly,
    iommu,
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

/** The index that is given to `iommu=`. */
export function parseIommu(option: string, text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new CommandError(`${option}: '${text}' is no number of an IOMMU; the first --iommu is 0`);
}

/** Takes `,iommu=N` off the end. */
function splitIommu(option: string, text: string): { rest: string; iommu: number } {
  const match = /^(.*),iommu=([^,]*)$/s.exec(text);
  if (match === null) return { rest: text, iommu: 0 };
  const [, rest = '', digits = ''] = match;
  return { rest, iommu: parseIommu(option, digits) };
}
