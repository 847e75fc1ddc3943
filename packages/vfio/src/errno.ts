/** The error numbers of Linux that VFIO answers with; answers carry them negative, as ioctl does. */

/** The IOMMU knows no such thing. */
export const ENOENT = 2;
/** The IOMMU failed. */
export const EIO = 5;
/** The IOMMU is out of its memory. */
export const ENOMEM = 12;
/** The user address is not mapped, or not for that access. */
export const EFAULT = 14;
/** The device is in use elsewhere. */
export const EBUSY = 16;
/** The IOVA range is mapped already, in whole or in part. */
export const EEXIST = 17;
/** An argument that cannot be meant, or a container without a group. */
export const EINVAL = 22;
/** As many mappings as `dma_entry_limit` allows. */
export const ENOSPC = 28;
/** A range that the IOMMU cannot map. */
export const ERANGE = 34;
/** The IOMMU cannot do what was asked for. */
export const ENOSYS = 38;
