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
const ACCESS = VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE;

/**
 * Each attached endpoint is probed first, and what is reserved for it is not among `iovaRanges`. A refused request is a
 * negative errno; where VFIO expects none, in `detachGroup` and `unmap`, `IommuRequestError` is thrown, and everywhere
 * `VirtioError` `NO_ANSWER`.
 */
export function createVfioIommu({ driver, domain }: VfioIommuOptions): VfioIommu {
  const { pageSizeMask, inputRange } = driver.config;
  let iovaRanges: readonly IovaRange[] = [inputRange];
  const reserved: IovaRange[] = [];
  return {
    pageSizeMask,
    get iovaRanges() {
      return iovaRanges;
    },
    attachGroup: ({ endpoints }) => {
      for (const [index, endpoint] of endpoints.entries()) {
        const answer = errnoOf(() => {
          reserved.push(...driver.probe(endpoint));
          driver.attach(domain, endpoint);
        });
        if (answer < 0) {
          for (const attached of endpoints.slice(0, index)) driver.detach(domain, attached);
          return answer;
        }
      }
      iovaRanges = withoutReserved(inputRange.start, inputRange.end, reserved);
      return 0;
    },
    detachGroup: ({ endpoints }) => {
      for (const endpoint of endpoints) driver.detach(domain, endpoint);
    },
    map: (iova, iovaEnd, physical, flags) =>
      errnoOf(() => driver.map(domain, iova, iovaEnd, physical, flags & ACCESS)),
    unmap: (iova, iovaEnd) => driver.unmap(domain, iova, iovaEnd),
  };
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
