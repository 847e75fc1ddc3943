/** IommuRequestError: the device refused a request, or did not answer it. */
import { VirtioError } from '@viommu/virtqueue';
import { STATUS_NAMES } from './protocol.ts';

/** The `code` is the status as the standard names it, such as `S_RANGE`; `S_IOERR` for a request without an answer. */
export class IommuRequestError extends VirtioError {
  /** VIRTIO_IOMMU_S_*. */
  readonly status: number;

  constructor(request: string, status: number) {
    const name = `S_${STATUS_NAMES[status] ?? status}`;
    super(name, `the IOMMU refused ${request}: ${name}`);
    this.status = status;
  }
}
