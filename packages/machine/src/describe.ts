/** How a place and a device are called, in messages and as the names of sockets. */
import { formatBdf } from '@viommu/viot';
import type { DeviceDescription, MachineDescription, Place } from './machine-description.ts';

/** Such as `00:05.0`, or `window 1 of 00:06.0`. */
export function describePlace(place: Place, { windows }: MachineDescription): string {
  if (place.bus === 'pci') return formatBdf(place.bdf);
  return `window ${place.window} of ${formatBdf(windows?.[place.windows]?.bdf ?? 0)}`;
}

/** Such as `disk a.img`, for sentences. */
export function describeDevice(device: DeviceDescription): string {
  switch (device.kind) {
    case 'disk':
      return `disk ${device.path}`;
    case 'rng':
      return 'the rng';
    case 'net':
      return `network ${device.target}`;
    case 'engine':
      return 'the DMA engine';
  }
}

const SOCKET_NAMES: Readonly<Record<DeviceDescription['kind'], string>> = {
  disk: 'blk',
  rng: 'rng',
  net: 'net',
  engine: 'engine',
};

/** `blk`, or `blk0` and `blk1` when there are two. */
export function socketNames({ devices }: MachineDescription): string[] {
  const counts = new Map<string, number>();
  return devices.map(({ kind }) => {
    const name = SOCKET_NAMES[kind];
    const index = counts.get(name) ?? 0;
    counts.set(name, index + 1);
    return devices.filter((other) => other.kind === kind).length === 1 ? name : `${name}${index}`;
  });
}

/** `iommu`, and `iommu1` for the second. */
export function iommuSocketName(index: number): string {
  return index === 0 ? 'iommu' : `iommu${index}`;
}

/** `windows`, and `windows1` for the second. */
export function windowsSocketName(index: number): string {
  return index === 0 ? 'windows' : `windows${index}`;
}
