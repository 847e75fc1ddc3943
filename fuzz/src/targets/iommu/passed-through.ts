/** passedThroughBackend: a backend all of whose endpoints are devices of the host, with the host's IOMMU below. */
import type { BackendFactory } from '@viommu/iommu-core';
import { MemorySlots, nestedBackend, type PassedThrough, PhysicalIommu } from '@viommu/pviommu-sim';
import { type UserMemory, VfioContainer } from '@viommu/vfio';
import { violated } from '../../engine/invariant.ts';

/** Guest-physical, user and host-physical addresses are the same, so that joining both stages changes no address. */
const IDENTITY: UserMemory = {
  pin(userAddress, length, _flags, out) {
    out.physical = userAddress;
    out.length = length;
    return true;
  },
};
const MEMORY_LENGTH = 2 ** 52;
const FIRST_HOST_ENDPOINT = 0x100;

export function passedThroughBackend(): BackendFactory {
  const physical = new PhysicalIommu();
  const slots = new MemorySlots();
  slots.add({ guestStart: 0, length: MEMORY_LENGTH, userAddress: 0 });
  let hostEndpoint = FIRST_HOST_ENDPOINT;
  const passedThrough = (): PassedThrough => {
    const container = new VfioContainer({
      iommu: physical.createAddressSpace(),
      userMemory: IDENTITY,
    });
    hostEndpoint += 1;
    if (container.attachGroup({ endpoints: [hostEndpoint] }) !== 0) violated('a group is taken');
    return { hostEndpoint, container };
  };
  return nestedBackend({ slots, physical, passedThrough });
}
