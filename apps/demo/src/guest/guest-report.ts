/** Reads the marker lines of the test guest's serial console into a report. */
import { MARKER } from './guest-init.ts';

/** A PCI function or virtio device of the guest; `driver` is absent when none is bound. */
interface GuestDevice {
  /** The PCI address as Linux writes it, such as `0000:00:05.0`. */
  readonly address: string;
  /** `1af4:1042` for a PCI function, the device ID (such as 23) for a virtio device. */
  readonly id: string;
  readonly driver?: string;
}

/** A region that the guest's kernel keeps out of what it maps; `end` is inclusive. */
interface ReservedRegion {
  readonly start: number;
  readonly end: number;
  readonly type: string;
}

export interface IommuGroup {
  readonly group: number;
  /** The domain's type as the kernel calls it: `DMA-FQ`, `DMA` (strict) or `identity` (pass-through). */
  readonly type: string;
  /** PCI addresses. */
  readonly devices: string[];
  readonly reserved: ReservedRegion[];
}

/** What a `read` or `write` step saw; `offset` and `length` in bytes. */
interface DiskChecksum {
  readonly disk: string;
  readonly offset: number;
  readonly length: number;
  readonly sha256: string;
}

/** A timed run of reads; `bytes` in all, in blocks of `blockSize` bytes. */
interface DiskTiming {
  readonly disk: string;
  readonly blockSize: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** One copy that the program in user space asked of the DMA engine. */
interface VfioCopy {
  readonly source: number;
  readonly destination: number;
  readonly length: number;
  /** The engine's register: 2 done, 3 error. */
  readonly status: number;
  readonly errorAddress: number;
  /** Interrupts that came for it. */
  readonly interrupts: number;
  /** Whether the destination held what it should: the source's bytes, or nothing after a copy that was to fail. */
  readonly equal: boolean;
}

/** What a `vfio` step saw. */
export interface VfioReport {
  readonly group: number;
  /** PCI address. */
  readonly device: string;
  map?: { readonly virtualAddress: number; readonly iova: number; readonly length: number };
  /** Within the buffer, outside of it, and within it after it was unmapped. */
  readonly copies: VfioCopy[];
  /** Bytes that were unmapped. */
  unmapped?: number;
}

/** What one boot of the guest said. */
export interface GuestBoot {
  kernel?: string;
  /** Seconds from the start of the kernel to the disks being there. */
  upSeconds?: number;
  /** Whether all of this boot's steps were run. */
  finished: boolean;
  readonly pci: GuestDevice[];
  readonly virtio: GuestDevice[];
  readonly iommuGroups: IommuGroup[];
  readonly disks: { readonly disk: string; readonly bytes: number }[];
  /** The kernel's own messages about the IOMMU and the virtio devices. */
  readonly log: string[];
  /** Each `read` step, and the reading back of each `write` step. */
  readonly reads: DiskChecksum[];
  readonly writes: DiskChecksum[];
  readonly timings: DiskTiming[];
  /** Where the random bytes came from, such as `virtio_rng.0`, and the bytes. */
  rng?: { readonly source: string; readonly hex: string };
  vfio?: VfioReport;
}

export interface GuestReport {
  /** One for the first start and one for each `reboot` step. */
  readonly boots: GuestBoot[];
  /** What the guest found wrong, and marker lines that cannot be read. */
  readonly errors: string[];
  /** Whether the guest ran all steps of all boots. */
  done: boolean;
}

/** Takes the serial console line by line. */
export class GuestReportReader {
  readonly report: GuestReport = { boots: [], errors: [], done: false };

  /** @returns the text after the marker, or undefined for a line that is not meant for the harness */
  read(line: string): string | undefined {
    const start = line.indexOf(MARKER);
    if (start < 0) return undefined;
    const text = line.slice(start + MARKER.length).trimEnd();
    const separator = text.indexOf(' ');
    const word = separator < 0 ? text : text.slice(0, separator);
    const rest = separator < 0 ? '' : text.slice(separator + 1);
    if (!this.#take(word, rest))
      this.report.errors.push(`the guest's line cannot be read: ${text}`);
    return text;
  }

  #take(word: string, rest: string): boolean {
    const { boots, errors } = this.report;
    if (word === 'error') {
      errors.push(rest);
      return true;
    }
    if (word === 'boot') {
      boots.push(newBoot());
      return Number(rest) === boots.length;
    }
    const boot = boots.at(-1);
    if (boot === undefined) return false;
    const fields = rest.split(' ');
    switch (word) {
      case 'kernel':
        boot.kernel = rest;
        return rest !== '';
      case 'up':
        boot.upSeconds = Number(rest);
        return boot.upSeconds > 0;
      case 'dmesg':
        boot.log.push(rest);
        return true;
      case 'pci':
        return addDevice(boot.pci, fields);
      case 'virtio':
        return addDevice(boot.virtio, [fields[0]!, `${Number(fields[1])}`, fields[2] ?? '']);
      case 'group':
        return addToGroup(boot.iommuGroups, fields);
      case 'reserved':
        return addReserved(boot.iommuGroups, fields);
      case 'disk':
        boot.disks.push({ disk: fields[0]!, bytes: Number(fields[1]) });
        return Number(fields[1]) >= 0;
      case 'read':
        return addChecksum(boot.reads, fields);
      case 'wrote':
        return addChecksum(boot.writes, fields);
      case 'bench':
        return addTiming(boot.timings, fields);
      case 'rng':
        boot.rng = { source: fields[0]!, hex: fields[1] ?? '' };
        return true;
      case 'vfio-group':
        boot.vfio = { group: Number(fields[0]), device: fields[1] ?? '', copies: [] };
        return boot.vfio.group >= 0;
      case 'vfio-map':
      case 'vfio-copy':
      case 'vfio-unmap':
        return boot.vfio !== undefined && addVfio(boot.vfio, word, fields);
      case 'rebooting':
        boot.finished = true;
        return true;
      case 'done':
        boot.finished = true;
        this.report.done = true;
        return true;
      default:
        return false;
    }
  }
}

function newBoot(): GuestBoot {
  return {
    finished: false,
    pci: [],
    virtio: [],
    iommuGroups: [],
    disks: [],
    log: [],
    reads: [],
    writes: [],
    timings: [],
  };
}

function addDevice(devices: GuestDevice[], [address, id, driver]: readonly string[]): boolean {
  if (!address || !id || !driver) return false;
  devices.push({ address, id, ...(driver === '-' ? {} : { driver }) });
  return true;
}

function addToGroup(groups: IommuGroup[], [number, device, type]: string[]): boolean {
  if (!number || !device || !type) return false;
  const known = groups.find(({ group }) => group === Number(number));
  if (known) known.devices.push(device);
  else groups.push({ group: Number(number), type, devices: [device], reserved: [] });
  return true;
}

function addReserved(groups: IommuGroup[], [number, start, end, type]: string[]): boolean {
  const known = groups.find(({ group }) => group === Number(number));
  if (!known || !type) return false;
  known.reserved.push({ start: Number(start), end: Number(end), type });
  return true;
}

function addChecksum(list: DiskChecksum[], [disk, offset, length, sha256]: string[]): boolean {
  if (!disk || !sha256 || !/^[0-9a-f]{64}$/.test(sha256)) return false;
  list.push({ disk, offset: Number(offset), length: Number(length), sha256 });
  return true;
}

function addTiming(list: DiskTiming[], [disk, blockSize, bytes, microseconds]: string[]): boolean {
  const seconds = Number(microseconds) / 1e6;
  if (!disk || !(seconds > 0)) return false;
  list.push({ disk, blockSize: Number(blockSize), bytes: Number(bytes), seconds });
  return true;
}

function addVfio(vfio: VfioReport, word: string, fields: readonly string[]): boolean {
  const [first = Number.NaN, second = Number.NaN, ...rest] = fields.map(Number);
  switch (word) {
    case 'vfio-map':
      vfio.map = { virtualAddress: first, iova: second, length: rest[0] ?? 0 };
      return vfio.map.length > 0;
    case 'vfio-unmap':
      vfio.unmapped = first;
      return first >= 0;
    default: {
      const [length = 0, status = 0, errorAddress = 0, interrupts = 0] = rest;
      const equal = fields.at(-1) === 'equal';
      vfio.copies.push({
        source: first,
        destination: second,
        length,
        status,
        errorAddress,
        interrupts,
        equal,
      });
      return fields.length === 7;
    }
  }
}
