/** Reading a device's configuration, kept as bytes, with any width. */
import type { AccessWidth } from '@viommu/virtqueue';

export function readConfigBytes(config: DataView, offset: number, width: AccessWidth): number {
  if (width === 4) return config.getUint32(offset, true);
  return width === 2 ? config.getUint16(offset, true) : config.getUint8(offset);
}
