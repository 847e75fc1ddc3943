/** Reads and writes of a region: which bytes exist, and how an access of any length becomes register accesses. */
import type { PciFunction } from '@viommu/transport-pci';
import type { AccessWidth } from '@viommu/virtqueue';
import { VFIO_PCI_CONFIG_REGION_INDEX } from '../protocol/constants.ts';

const CONFIG_SIZE = 256;

/** In bytes; 0 when there is no such region. */
export function regionSize({ bars }: PciFunction, region: number): number {
  if (region === VFIO_PCI_CONFIG_REGION_INDEX) {
    return CONFIG_SIZE;
  }
  for (let index = 0; index < bars.length; index++) {
    if (bars[index]!.index === region) {
      return bars[index]!.size;
    }
  }
  return 0;
}

/** True when `count` bytes from `offset` lie in the region. */
export function isInRegion(
  pciFunction: PciFunction,
  region: number,
  offset: number,
  count: number,
): boolean {
  return count > 0 && offset + count <= regionSize(pciFunction, region);
}

/** The access lies in the region. */
export function readRegion(
  pciFunction: PciFunction,
  region: number,
  offset: number,
  count: number,
  target: DataView,
  targetOffset: number,
): void {
  for (let done = 0; done < count; ) {
    const at = offset + done;
    const width = accessWidth(at, count, done);
    const value =
      region === VFIO_PCI_CONFIG_REGION_INDEX
        ? pciFunction.readConfig(at, width)
        : pciFunction.readBar(region, at, width);
    if (width === 4) {
      target.setUint32(targetOffset + done, value, true);
    } else if (width === 2) {
      target.setUint16(targetOffset + done, value, true);
    } else {
      target.setUint8(targetOffset + done, value);
    }
    done += width;
  }
}

/** The access lies in the region. */
export function writeRegion(
  pciFunction: PciFunction,
  region: number,
  offset: number,
  count: number,
  source: DataView,
  sourceOffset: number,
): void {
  for (let done = 0; done < count; ) {
    const at = offset + done;
    const width = accessWidth(at, count, done);
    const value =
      width === 4
        ? source.getUint32(sourceOffset + done, true)
        : width === 2
          ? source.getUint16(sourceOffset + done, true)
          : source.getUint8(sourceOffset + done);
    if (region === VFIO_PCI_CONFIG_REGION_INDEX) {
      pciFunction.writeConfig(at, width, value);
    } else {
      pciFunction.writeBar(region, at, width, value);
    }
    done += width;
  }
}

/** An access as wide as a register is one access; any other is the fewest aligned ones. */
function accessWidth(offset: number, count: number, done: number): AccessWidth {
  if (count === 1 || count === 2 || count === 4) {
    return count;
  }
  const left = count - done;
  if (offset % 4 === 0 && left >= 4) {
    return 4;
  }
  return offset % 2 === 0 && left >= 2 ? 2 : 1;
}
