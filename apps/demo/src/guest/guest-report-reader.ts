/** Reads the marker lines of the test guest's serial console into a report. */
import { MARKER } from './guest-init.ts';
import type {
  DiskChecksum,
  DiskTiming,
  FetchReport,
  GuestBoot,
  GuestDevice,
  GuestReport,
  IommuGroup,
  TransferTiming,
  VfioReport,
} from './guest-report.ts';

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
      case 'init':
        boot.initSeconds = Number(rest);
        return boot.initSeconds > 0;
      case 'up':
        boot.upSeconds = Number(rest);
        return boot.upSeconds > 0;
      case 'dmesg':
        boot.log.push(rest);
        return true;
      case 'pci':
        return addDevice(boot.pci, fields);
      case 'virtio':
        return addVirtioDevice(boot.virtio, fields);
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
      case 'flushed':
        boot.flushed.push(Number(fields[1]));
        return Number(fields[1]) >= 0;
      case 'bench':
        return addTiming(boot.timings, fields);
      case 'interrupt':
        boot.interrupts.push({
          name: fields[0]!,
          controller: fields[1] ?? '',
          count: Number(fields[2]),
        });
        return Number(fields[2]) >= 0;
      case 'network':
        boot.network = { interface: fields[0]!, address: fields[1] ?? '', mac: fields[2] ?? '' };
        return fields.length === 3;
      case 'fetched':
        return addFetch(boot.fetches, fields);
      case 'downloaded':
        return addTransfer(boot.transfers, 'download', fields);
      case 'uploaded':
        return addTransfer(boot.transfers, 'upload', fields);
      case 'soaked': {
        const [round = 0, latency = 0, reference = 0, fetched = -1] = fields.map(Number);
        boot.soak.push({ round, latency, reference, fetched });
        return round > 0 && latency > 0 && reference > 0 && fetched >= 0;
      }
      case 'rng':
        boot.rng = { source: fields[0]!, hex: fields[1] ?? '' };
        return true;
      case 'vfio-group':
        boot.vfio = { group: Number(fields[0]), device: fields[1] ?? '', copies: [] };
        return boot.vfio.group >= 0;
      case 'vfio-map':
      case 'vfio-copy':
      case 'vfio-vectors':
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
    flushed: [],
    timings: [],
    interrupts: [],
    fetches: [],
    transfers: [],
    soak: [],
  };
}

function addDevice(devices: GuestDevice[], [address, id, driver]: readonly string[]): boolean {
  if (!address || !id || !driver) return false;
  devices.push({ address, id, ...(driver === '-' ? {} : { driver }) });
  return true;
}

function addVirtioDevice(
  devices: GuestDevice[],
  [address = '', id, driver = '', features = '']: readonly string[],
): boolean {
  const known: GuestDevice[] = [];
  if (!addDevice(known, [address, `${Number(id)}`, driver]) || !/^[01]*$/.test(features))
    return false;
  devices.push({ ...known[0]!, ...(features === '' ? {} : { features }) });
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

function addFetch(
  fetches: FetchReport[],
  [url = '', bytes, sha256 = '', microseconds, disk = '', diskBytes]: string[],
): boolean {
  const seconds = Number(microseconds) / 1e6;
  if (!/^[0-9a-f]{64}$/.test(sha256) || !(seconds > 0) || !(Number(diskBytes) >= 0)) return false;
  fetches.push({
    url: decodeURIComponent(url),
    bytes: Number(bytes),
    sha256,
    seconds,
    disk,
    diskBytes: Number(diskBytes),
  });
  return true;
}

function addTransfer(
  list: TransferTiming[],
  direction: TransferTiming['direction'],
  [bytes, microseconds]: string[],
): boolean {
  const seconds = Number(microseconds) / 1e6;
  list.push({ direction, bytes: Number(bytes), seconds });
  return Number(bytes) > 0 && seconds > 0;
}

function addVfio(vfio: VfioReport, word: string, fields: readonly string[]): boolean {
  const [first = Number.NaN, second = Number.NaN, ...rest] = fields.map(Number);
  switch (word) {
    case 'vfio-map':
      vfio.map = { virtualAddress: first, iova: second, length: rest[0] ?? 0 };
      return vfio.map.length > 0;
    case 'vfio-vectors':
      vfio.vectors = first;
      return first >= 0;
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
