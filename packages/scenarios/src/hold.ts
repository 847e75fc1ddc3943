/** What has to hold in a scenario. */
import { VirtioError } from '@viommu/virtqueue';

/** @throws VirtioError `SCENARIO` when it does not hold */
export function hold(holds: boolean, problem: string): void {
  if (!holds) throw new VirtioError('SCENARIO', problem);
}
