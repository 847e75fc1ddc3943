/** checkingBackend: a backend below which there is nothing, for requests that are carried out to be checked. */
import { TRANSLATION_FAILED, type TranslationBackend } from '../backend.ts';
import { VIRTIO_IOMMU_S_OK } from '../protocol/constants.ts';

export const checkingBackend: TranslationBackend = {
  capabilities: { pageSizeMask: 1n, inputEnd: 2 ** 52 - 1, mmio: true },
  generation: 0,
  addEndpoint() {},
  removeEndpoint() {},
  createDomain: () => VIRTIO_IOMMU_S_OK,
  destroyDomain() {},
  attach: () => VIRTIO_IOMMU_S_OK,
  detach() {},
  setBypass() {},
  translate: () => TRANSLATION_FAILED,
};
