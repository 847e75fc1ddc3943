/** What a machine consists of, as plain data that can be sent to another thread, and the checks of it. */
import { statSync } from 'node:fs';
import { formatBdf, parsePciAddress } from '@viommu/viot';
import { CommandError, messageOf } from '../command-error.ts';
import { type NetDescription, parseNet } from './net-description.ts';

/** A PCI address as one number: bus << 8 | device << 3 | function. */
export type Bdf = number;

export interface DiskDescription {
  readonly bdf: Bdf;
  readonly path: string;
  readonly readOnly: boolean;
}

export interface MachineDescription {
  readonly iommu: Bdf;
  readonly disks: readonly DiskDescription[];
  /** Networks; none when left out. */
  readonly nets?: readonly NetDescription[];
  /** Address of a virtio-rng, if there is one. */
  readonly rng?: Bdf;
  /** Address of a DMA engine, a device of the simulated host that is passed through. */
  readonly engine?: Bdf;
  /** Whether endpoints bypass the IOMMU until the guest's driver says otherwise. */
  readonly bootBypass: boolean;
  /** Bit n: mappings of 2^n bytes; the lowest bit is the granule. */
  readonly pageSizeMask?: bigint;
}

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

/** Parses `00:05.0=disk.img` or `00:05.0=disk.img,ro`. */
export function parseDisk(option: string, text: string): DiskDescription {
  const { bdf, rest: file } = parseAssignment(option, text, 'FILE', '00:05.0=disk.img');
  const readOnly = file.endsWith(',ro');
  return {
    bdf,
    path: readOnly ? file.slice(0, -',ro'.length) : file,
    readOnly,
  };
}

/** Parses `00:06.0=stream:/run/passt.sock` or `00:06.0=tap:tap0`, with what may follow. */
export function parseNetwork(option: string, text: string): NetDescription {
  const { bdf, rest } = parseAssignment(
    option,
    text,
    'stream:PATH or ADDRESS=tap:NAME',
    '00:06.0=tap:tap0',
  );
  return parseNet(option, bdf, rest);
}

function parseAssignment(option: string, text: string, what: string, example: string) {
  const separator = text.indexOf('=');
  if (separator < 0) {
    throw new CommandError(
      `${option}: '${text}' is not of the form ADDRESS=${what}, such as ${example}`,
    );
  }
  return {
    bdf: parseAddress(option, text.slice(0, separator)),
    rest: text.slice(separator + 1),
  };
}

/** Refuses what cannot become a machine: two functions at one address, a disk that is not there. */
export function checkMachine(description: MachineDescription): void {
  const seen = new Map<Bdf, string>();
  const functions: [string, Bdf | undefined][] = [
    ['the IOMMU', description.iommu],
    ...description.disks.map((disk): [string, Bdf] => [`disk ${disk.path}`, disk.bdf]),
    ...(description.nets ?? []).map((net): [string, Bdf] => [`network ${net.target}`, net.bdf]),
    ['the rng', description.rng],
    ['the DMA engine', description.engine],
  ];
  for (const [name, bdf] of functions) {
    if (bdf === undefined) continue;
    if (bdf > 0xff) {
      throw new CommandError(
        `${name} is at ${formatBdf(bdf)}; QEMU takes these functions on bus 0 only`,
      );
    }
    const other = seen.get(bdf);
    if (other !== undefined) {
      throw new CommandError(
        `${other} and ${name} are both at ${formatBdf(bdf)}; give each an address of its own`,
      );
    }
    seen.set(bdf, name);
  }
  for (const disk of description.disks) {
    let size: number;
    try {
      const status = statSync(disk.path);
      if (!status.isFile()) throw new CommandError(`disk ${disk.path} is not a regular file`);
      size = status.size;
    } catch (error) {
      if (error instanceof CommandError) throw error;
      throw new CommandError(`disk ${disk.path} cannot be opened: ${messageOf(error)}`, {
        cause: error,
      });
    }
    if (size === 0 || size % 512 !== 0) {
      throw new CommandError(
        `disk ${disk.path} has ${size} bytes; a disk is a positive multiple of 512`,
      );
    }
  }
}
