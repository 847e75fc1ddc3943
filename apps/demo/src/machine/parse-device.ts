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
  const separator = text.indexOf('=');
  if (separator < 0) {
    throw new CommandError(
      `${option}: '${text}' is not of the form ADDRESS=FILE, such as 00:05.0=disk.img`,
    );
  }
  const { rest: file, iommu } = splitIommu(option, text.slice(separator + 1));
  const readOnly = file.endsWith(',ro');
  return pciDisk(
    parseAddress(option, text.slice(0, separator)),
    readOnly ? file.slice(0, -',ro'.length) : file,
    readOnly,
    iommu,
  );
}

/** Takes `,iommu=N` off the end. */
function splitIommu(option: string, text: string): { rest: string; iommu: number } {
  const match = /^(.*),iommu=([^,]*)$/s.exec(text);
  if (match === null) return { rest: text, iommu: 0 };
  const [, rest = '', digits = ''] = match;
  if (!/^\d{1,3}$/.test(digits)) {
    throw new CommandError(
      `${option}: '${digits}' is no number of an IOMMU; the first --iommu is 0`,
    );
  }
  return { rest, iommu: Number(digits) };
}
