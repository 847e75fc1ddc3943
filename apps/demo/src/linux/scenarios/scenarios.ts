/** All scenarios of `viommu linux`. */
import { DISK_SCENARIO } from './disk-scenario.ts';
import { PASSTHROUGH_SCENARIO } from './passthrough-scenario.ts';
import type { Scenario } from './scenario.ts';

export const SCENARIOS: readonly Scenario[] = [DISK_SCENARIO, PASSTHROUGH_SCENARIO];
