/** All scenarios of `viommu linux`. */
import { DISK_SCENARIO } from './disk-scenario.ts';
import { IDENTITY_SCENARIO } from './identity-scenario.ts';
import { MMIO_SCENARIO } from './mmio-scenario.ts';
import { NETWORK_SCENARIO } from './network-scenario.ts';
import { PACKED_SCENARIO } from './packed-scenario.ts';
import { PASSTHROUGH_SCENARIO } from './passthrough-scenario.ts';
import type { Scenario } from './scenario.ts';
import { STRAY_SCENARIO } from './stray-scenario.ts';
import { TWO_IOMMUS_SCENARIO } from './two-iommus-scenario.ts';

export const SCENARIOS: readonly Scenario[] = [
  DISK_SCENARIO,
  PASSTHROUGH_SCENARIO,
  NETWORK_SCENARIO,
  TWO_IOMMUS_SCENARIO,
  MMIO_SCENARIO,
  PACKED_SCENARIO,
  IDENTITY_SCENARIO,
  STRAY_SCENARIO,
];
