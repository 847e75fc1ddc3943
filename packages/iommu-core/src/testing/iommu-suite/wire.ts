/** What the suite sends and reads, written out from the standard rather than taken from the device under test. */

export const STATUS = [
  ...['OK', 'IOERR', 'UNSUPP', 'DEVERR', 'INVAL', 'RANGE', 'NOENT', 'FAULT', 'NOMEM'],
] as readonly string[];

/** VIRTIO_IOMMU_F_*, as masks. */
export const FEATURE = {
  INPUT_RANGE: 1n << 0n,
  DOMAIN_RANGE: 1n << 1n,
  MAP_UNMAP: 1n << 2n,
  BYPASS: 1n << 3n,
  PROBE: 1n << 4n,
  MMIO: 1n << 5n,
  BYPASS_CONFIG: 1n << 6n,
} as const;

/** VIRTIO_IOMMU_MAP_F_*. */
export const [READ, WRITE, MMIO] = [1, 2, 4];
/** VIRTIO_IOMMU_ATTACH_F_BYPASS. */
export const BYPASS = 1;
/** VIRTIO_IOMMU_FAULT_R_*. */
export const [R_DOMAIN, R_MAPPING] = [1, 2];
/** VIRTIO_IOMMU_FAULT_F_ADDRESS. */
export const F_ADDRESS = 0x100;
export const FAULT_SIZE = 24;
export const TAIL_SIZE = 4;
/** Readable bytes of a PROBE. */
const PROBE_RESERVED = 64;
export const LAST_ADDRESS = 2n ** 64n - 1n;

const le = (value: bigint | number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, index) => Number((BigInt(value) >> BigInt(8 * index)) & 0xffn));
const head = (type: number, reserved = 0) => [type, reserved, reserved, reserved];
const repeated = (value: number, count: number) => new Array<number>(count).fill(value);

/** What may be set beside what a request asks for. */
export interface Oddities {
  /** Each byte of the request's `reserved`. */
  readonly reserved?: number;
  /** Each byte of the head's `reserved`. */
  readonly headReserved?: number;
}

export const attachBytes = (
  domain: number,
  endpoint: number,
  flags: number,
  { reserved = 0, headReserved }: Oddities = {},
): number[] => [
  ...head(1, headReserved),
  ...[...le(domain, 4), ...le(endpoint, 4), ...le(flags, 4), ...repeated(reserved, 4)],
];

export const detachBytes = (
  domain: number,
  endpoint: number,
  { reserved = 0, headReserved }: Oddities = {},
): number[] => [
  ...head(2, headReserved),
  ...[...le(domain, 4), ...le(endpoint, 4), ...repeated(reserved, 8)],
];

export const mapBytes = (
  domain: number,
  virtStart: bigint | number,
  virtEnd: bigint | number,
  physStart: bigint | number,
  flags: number,
  { headReserved }: Oddities = {},
): number[] => [
  ...head(3, headReserved),
  ...[...le(domain, 4), ...le(virtStart, 8), ...le(virtEnd, 8), ...le(physStart, 8)],
  ...le(flags, 4),
];

export const unmapBytes = (
  domain: number,
  virtStart: bigint | number,
  virtEnd: bigint | number,
  { reserved = 0, headReserved }: Oddities = {},
): number[] => [
  ...head(4, headReserved),
  ...[...le(domain, 4), ...le(virtStart, 8), ...le(virtEnd, 8), ...repeated(reserved, 4)],
];

export const probeBytes = (
  endpoint: number,
  { reserved = 0, headReserved }: Oddities = {},
): number[] => [
  ...head(5, headReserved),
  ...le(endpoint, 4),
  ...repeated(reserved, PROBE_RESERVED),
];

/** A property of PROBE's answer. */
export interface Property {
  readonly type: number;
  readonly typeReserved: number;
  /** Without the four bytes of its head. */
  readonly length: number;
  readonly subtype: number;
  readonly reserved: number;
  readonly start: bigint;
  readonly end: bigint;
}

/** @returns the properties up to the first of type 0, and where it stands */
export function parseProperties(bytes: Uint8Array): { list: Property[]; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const list: Property[] = [];
  let at = 0;
  while (at + 24 <= bytes.length && (view.getUint16(at, true) & 0xfff) !== 0) {
    const type = view.getUint16(at, true);
    const length = view.getUint16(at + 2, true);
    list.push({
      ...{ type: type & 0xfff, typeReserved: type >>> 12, length },
      subtype: view.getUint8(at + 4),
      reserved: view.getUint32(at + 4, true) >>> 8,
      start: view.getBigUint64(at + 8, true),
      end: view.getBigUint64(at + 16, true),
    });
    at += 4 + length;
  }
  return { list, end: at };
}
