/** PCI addresses as people write them: `00:05.0`, or with the segment `0000:00:05.0`. */
import { ViotError } from './viot-error.ts';

/** Where a PCI function is. */
export interface PciAddress {
  /** PCI segment group, 16 bits. */
  readonly segment: number;
  /** `bus << 8 | device << 3 | function`. */
  readonly bdf: number;
}

const PATTERN = /^(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7])$/i;
const LAST_DEVICE = 31;

/**
 * Reads `bus:device.function` or `segment:bus:device.function`, all hexadecimal. The segment is 0 when not given.
 *
 * @throws ViotError `BDF` when the text is no PCI address
 */
export function parsePciAddress(text: string): PciAddress {
  const match = PATTERN.exec(text);
  const [segment, bus, device, pciFunction] = (match?.slice(1) ?? []).map((digits) =>
    digits === undefined ? 0 : Number.parseInt(digits, 16),
  );
  if (
    segment === undefined ||
    bus === undefined ||
    device === undefined ||
    pciFunction === undefined ||
    device > LAST_DEVICE
  ) {
    throw new ViotError(
      'BDF',
      `'${text}' is no PCI address: write bus:device.function in hexadecimal, such as 00:05.0, device at most 1f`,
    );
  }
  return { segment, bdf: (bus << 8) | (device << 3) | pciFunction };
}

/** The form with the segment, as Linux writes it: `0000:00:05.0`. */
export function formatPciAddress({ segment, bdf }: PciAddress): string {
  return `${hex(segment, 4)}:${formatBdf(bdf)}`;
}

/** The short form: `00:05.0`. */
export function formatBdf(bdf: number): string {
  return `${hex(bdf >>> 8, 2)}:${hex((bdf >>> 3) & 0x1f, 2)}.${bdf & 7}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
