/** A MachineDescription as data that JSON can hold, for files that say what machine they belong to, and checked when it comes back. */
import { VirtioError } from '@viommu/virtqueue';
import type {
  DeviceDescription,
  IommuDescription,
  MachineDescription,
  MsiWindow,
  PciPlace,
  Place,
  WindowsDescription,
} from './machine-description.ts';

type Fields = Readonly<Record<string, unknown>>;

const BDF_MAX = 0xffff;
const ID_MAX = 2 ** 32 - 1;
/** A description that comes from elsewhere must not make a machine of a million devices. */
const ITEMS_MAX = 1024;

/** A `pageSizeMask` becomes a hexadecimal text; all else is as it was. */
export function describeAsJson(description: MachineDescription): unknown {
  return {
    ...description,
    iommus: description.iommus.map(({ pageSizeMask, ...iommu }) => ({
      ...iommu,
      ...(pageSizeMask === undefined ? {} : { pageSizeMask: `0x${pageSizeMask.toString(16)}` }),
    })),
  };
}

/** @throws VirtioError `MACHINE_DESCRIPTION` that names the field */
export function descriptionOf(json: unknown): MachineDescription {
  const fields = fieldsOf(json, 'machine');
  const iommus = listOf(fields, 'iommus').map(iommuOf);
  const windows = fields.windows === undefined ? undefined : listOf(fields, 'windows');
  const description = {
    iommus,
    devices: listOf(fields, 'devices').map((one) => deviceOf(one, iommus.length)),
    msiWindows: listOf(fields, 'msiWindows').map(msiWindowOf),
    ...(fields.packed === undefined ? {} : { packed: flagOf(fields, 'packed') }),
    ...(windows === undefined ? {} : { windows: windows.map(windowsOf) }),
  };
  checkWindows(description);
  return description;
}

function iommuOf(fields: Fields): IommuDescription {
  return {
    place: placeOf(fields),
    bootBypass: flagOf(fields, 'bootBypass'),
    ...(fields.pageSizeMask === undefined ? {} : { pageSizeMask: maskOf(fields) }),
  };
}

function deviceOf(fields: Fields, iommus: number): DeviceDescription {
  const place = placeOf(fields);
  const endpoint = {
    place,
    iommu: numberOf(fields, 'iommu', iommus - 1),
    endpoint: numberOf(fields, 'endpoint', ID_MAX),
  };
  const { kind } = fields;
  switch (kind) {
    case 'disk':
      return {
        kind,
        ...endpoint,
        path: textOf(fields, 'path'),
        readOnly: flagOf(fields, 'readOnly'),
      };
    case 'rng':
      return { kind, ...endpoint };
    case 'net':
      return {
        kind,
        ...endpoint,
        network: textOf(fields, 'network') === 'tap' ? 'tap' : 'stream',
        target: textOf(fields, 'target'),
        mac: bytesOf(fields, 'mac'),
        ...(fields.mtu === undefined ? {} : { mtu: numberOf(fields, 'mtu', 0xffff) }),
      };
    case 'engine':
      if (place.bus !== 'pci') throw refusal('place.bus');
      return { kind, ...endpoint, place };
    default:
      throw refusal('kind');
  }
}

function placeOf(fields: Fields): Place {
  const place = fieldsOf(fields.place, 'place');
  if (place.bus === 'pci') return pciPlaceOf(place);
  if (place.bus !== 'mmio') throw refusal('place.bus');
  return {
    bus: 'mmio',
    windows: numberOf(place, 'windows', ITEMS_MAX),
    window: numberOf(place, 'window', ITEMS_MAX),
  };
}

function pciPlaceOf(place: Fields): PciPlace {
  return { bus: 'pci', bdf: numberOf(place, 'bdf', BDF_MAX) };
}

function windowsOf(fields: Fields): WindowsDescription {
  return {
    bdf: numberOf(fields, 'bdf', BDF_MAX),
    vendorId: numberOf(fields, 'vendorId', 0xffff),
    deviceId: numberOf(fields, 'deviceId', 0xffff),
    ...(fields.barSize === undefined ? {} : { barSize: numberOf(fields, 'barSize', 2 ** 31) }),
  };
}

/** The windows of a function are numbered without gaps. */
function checkWindows({ iommus, devices, windows = [] }: MachineDescription): void {
  const taken = windows.map(() => new Set<number>());
  for (const { place } of [...iommus, ...devices]) {
    if (place.bus === 'pci') continue;
    const windowsOfFunction = taken[place.windows];
    if (windowsOfFunction === undefined || windowsOfFunction.has(place.window)) {
      throw refusal('place.window');
    }
    windowsOfFunction.add(place.window);
  }
  for (const numbers of taken) {
    if (numbers.size === 0 || Math.max(...numbers) !== numbers.size - 1) throw refusal('windows');
  }
}

function msiWindowOf(fields: Fields): MsiWindow {
  const start = numberOf(fields, 'start', Number.MAX_SAFE_INTEGER);
  const end = numberOf(fields, 'end', Number.MAX_SAFE_INTEGER);
  if (end < start) throw refusal('msiWindows.end');
  return { start, end };
}

function maskOf(fields: Fields): bigint {
  const text = textOf(fields, 'pageSizeMask');
  if (!/^0x[0-9a-f]{1,16}$/.test(text)) throw refusal('pageSizeMask');
  return BigInt(text);
}

function bytesOf(fields: Fields, name: string): number[] {
  const bytes = fields[name];
  const isByte = (byte: unknown) =>
    Number.isInteger(byte) && Number(byte) >= 0 && Number(byte) < 256;
  if (!Array.isArray(bytes) || bytes.length !== 6 || !bytes.every(isByte)) throw refusal(name);
  return bytes;
}

function listOf(fields: Fields, name: string): Fields[] {
  const list = fields[name];
  if (!Array.isArray(list) || list.length > ITEMS_MAX) throw refusal(name);
  return list.map((one) => fieldsOf(one, name));
}

function fieldsOf(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null) throw refusal(name);
  return value as Fields;
}

function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw refusal(name);
  return value;
}

function flagOf(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (typeof value !== 'boolean') throw refusal(name);
  return value;
}

function numberOf(fields: Fields, name: string, last: number): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > last) {
    throw refusal(name);
  }
  return value;
}

function refusal(name: string): VirtioError {
  return new VirtioError(
    'MACHINE_DESCRIPTION',
    `the description of a machine is damaged at "${name}": use one that describeAsJson made`,
  );
}
