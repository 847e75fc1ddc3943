/** ConfigExtension: what a device says in its configuration behind the fields of the standard. */
import { VirtioError } from '@viommu/virtqueue';
import { CONFIG_SIZE } from './layout.ts';

/** Bytes that a driver can read as soon as it has seen the feature bit, before it accepts features. It cannot write them. */
export interface ConfigExtension {
  /** Number of the feature bit that says they are there: 7 to 23 or 50 to 63, and none that the standard will give away. */
  readonly feature: number;
  /** Where they begin in the configuration: 40 or more, and a multiple of 4. */
  readonly offset: number;
  /** Copied when the device is made; they end below 64 KiB, and over virtio-pci below 4 KiB. */
  readonly bytes: Uint8Array;
}

const FEATURE_RANGES: readonly (readonly [first: number, last: number])[] = [
  // 0 to 6 are those of the IOMMU device.
  [7, 23],
  // "Feature bits for the specific device type", as far as all transports carry them.
  [50, 63],
];
const ALIGNMENT = 4;
const CONFIG_END_MAX = 0x10000;

/** @throws VirtioError TOPOLOGY */
export function checkConfigExtension({ feature, offset, bytes }: ConfigExtension): void {
  if (!FEATURE_RANGES.some(([first, last]) => isWithin(feature, first, last))) {
    throw new VirtioError(
      'TOPOLOGY',
      `topology.feature ${feature}: choose 7 to 23 or 50 to 63; others are the standard's`,
    );
  }
  const isPlace = isWithin(offset, CONFIG_SIZE, CONFIG_END_MAX) && offset % ALIGNMENT === 0;
  if (!isPlace || bytes.length === 0 || offset + bytes.length > CONFIG_END_MAX) {
    throw new VirtioError(
      'TOPOLOGY',
      `topology: ${bytes.length} bytes at ${offset}: choose a multiple of ${ALIGNMENT} from ${CONFIG_SIZE} on, and one byte or more below ${CONFIG_END_MAX}`,
    );
  }
}

function isWithin(value: number, low: number, high: number): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}
