/** Fields of the device-specific configuration, by device type ("Device Types"). */
import type { NamedRegister } from './named-register.ts';

const NETWORK: readonly NamedRegister[] = [
  [0, 6, 'mac'],
  [6, 2, 'status'],
  [8, 2, 'max_virtqueue_pairs'],
  [10, 2, 'mtu'],
];

const BLOCK: readonly NamedRegister[] = [
  [0, 8, 'capacity'],
  [8, 4, 'size_max'],
  [12, 4, 'seg_max'],
  [16, 4, 'geometry'],
  [20, 4, 'blk_size'],
  [24, 8, 'topology'],
  [32, 1, 'writeback'],
];

const IOMMU: readonly NamedRegister[] = [
  [0, 8, 'page_size_mask'],
  [8, 8, 'input_range.start'],
  [16, 8, 'input_range.end'],
  [24, 4, 'domain_range.start'],
  [28, 4, 'domain_range.end'],
  [32, 4, 'probe_size'],
  [36, 1, 'bypass'],
];

export function deviceRegisters(deviceType: number): readonly NamedRegister[] {
  switch (deviceType) {
    case 1:
      return NETWORK;
    case 2:
      return BLOCK;
    case 23:
      return IOMMU;
    default:
      return [];
  }
}
