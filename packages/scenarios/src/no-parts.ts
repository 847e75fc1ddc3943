/** The parts of a machine that needs none. */
import type { MachineParts } from '@viommu/machine';
import { VirtioError } from '@viommu/virtqueue';

export const NO_PARTS: MachineParts = {
  openDisk: () => refuse('disk'),
  openNetwork: () => refuse('network'),
  fillRandom: () => refuse('random numbers'),
};

function refuse(part: string): never {
  throw new VirtioError('SCENARIO', `the machine of this scenario has no ${part}`);
}
