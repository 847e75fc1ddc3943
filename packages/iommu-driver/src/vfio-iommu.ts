/** createVfioIommu: a domain of the virtual IOMMU below a VFIO container: the guest's half of a pass-through. */
import {
  EFAULT,
  EINVAL,
  EIO,
  ENOENT,
  ENOMEM,
  ENOSYS,
  ERANGE,
  type IovaRange,
  type VfioGroup,
  type VfioIommu,
  withoutReserved,
} from '@viommu/vfio';
import type { IommuDriver } from './iommu-driver.ts';
import { VIRTIO_IOMMU_MAP_F_READ, VIRTIO_IOMMU_MAP_F_WRITE } from './protocol.ts';
import { IommuRequestError } from './request-error.ts';

export interface VfioIommuOptions {
  readonly driver: IommuDriver;
  /** The domain's number, within the device's domain range and used by nobody else. */
  readonly domain: number;
}

/** By the status's value, as Linux' driver answers its callers. */
const ERRNO_OF_STATUS = [0, EIO, ENOSYS, EIO, EINVAL, ERANGE, ENOENT, EFAULT, ENOMEM];
const VIRTIO_IOMMU_S_NOENT = 6;
const ACCESS = VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE;

/**
 * Each attached endpoint is probed first, and what is reserved for it is not among `iovaRanges` while it is attached. A
 * refused request is a negative errno; where VFIO expects none, in `detachGroup` and `unmap`, `IommuRequestError` is
 * thrown, but not for an endpoint that was unplugged meanwhile, or a domain that ended with it. Everywhere `VirtioError`
 * `NO_ANSWER`.
 */
export function createVfioIommu({ driver, domain }: VfioIommuOptions): VfioIommu {
  const { pageSizeMask, inputRange } = driver.config;
  let iovaRanges: readonly IovaRange[] = [inputRange];
  const reserved = new Map<VfioGroup, readonly IovaRange[]>();
  const chooseRanges = (): void => {
    const all = [...reserved.values()].flat();
    iovaRanges = withoutReserved(inputRange.start, inputRange.end, all);
  };
  return {
    pageSizeMask,
    get iovaRanges() {
      return iovaRanges;
    },
    attachGroup: (group) => {
      const { endpoints } = group;
      const regions: IovaRange[] = [];
      for (const [index, endpoint] of endpoints.entries()) {
        const answer = errnoOf(() => {
          regions.push(...driver.probe(endpoint));
          driver.attach(domain, endpoint);
        });
        if (answer < 0) {
          for (const attached of endpoints.slice(0, index)) driver.detach(domain, attached);
          return answer;
        }
      }
      reserved.set(group, regions);
      chooseRanges();
      return 0;
    },
    detachGroup: (group) => {
      for (const endpoint of group.endpoints) unlessGone(() => driver.detach(domain, endpoint));
      reserved.delete(group);
      chooseRanges();
    },
    map: (iova, iovaEnd, physical, flags) =>
      errnoOf(() => driver.map(domain, iova, iovaEnd, physical, flags & ACCESS)),
    unmap: (iova, iovaEnd) => unlessGone(() => driver.unmap(domain, iova, iovaEnd)),
  };
}

function unlessGone(request: () => void): void {
  try {
    request();
  } catch (error) {
    const isGone = error instanceof IommuRequestError && error.status === VIRTIO_IOMMU_S_NOENT;
    if (!isGone) throw error;
  }
}

function errnoOf(request: () => void): number {
  try {
    request();
    return 0;
  } catch (error) {
    if (!(error instanceof IommuRequestError)) throw error;
    return -(ERRNO_OF_STATUS[error.status] ?? EIO);
  }
}
