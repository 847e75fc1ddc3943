/** The SSDT that announces the devices in the virtio-mmio windows of one function. */
import { type MachineDescription, type Place, windowAddress } from '@viommu/machine';
import { type MmioSsdtOptions, writeMmioSsdt } from '@viommu/viot';

/** Of the registers of a virtio-mmio device with its configuration, in bytes. */
const REGISTERS_SIZE = 0x200;

/** How a platform's firmware knows the function, and what its interrupt pin is wired to. */
export interface WindowsParent extends Pick<MmioSsdtOptions, 'parent' | 'enableParent'> {
  readonly interrupt: number;
}

/**
 * @param windows index of the function in the description
 * @param addresses of each function's first window
 */
export function writeWindowsTable(
  { iommus, devices }: MachineDescription,
  windows: number,
  addresses: readonly number[],
  { interrupt, ...parent }: WindowsParent,
): Uint8Array {
  const places: Place[] = [...iommus, ...devices].map(({ place }) => place);
  const inWindows = places.flatMap((place) =>
    place.bus === 'mmio' && place.windows === windows ? [place] : [],
  );
  return writeMmioSsdt({
    ...parent,
    devices: inWindows.map((place) => ({
      base: windowAddress(place, addresses),
      size: REGISTERS_SIZE,
      interrupt,
    })),
  });
}
